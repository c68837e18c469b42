"""The provider's own configuration. The SDK sends everything that is not a text as JSON in one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.providers.base import ProviderError, Unsupported

_TEXTS = ("cluster", "context", "kubeconfig", "namespace")
_SWITCHES = (
    "deleteUnreachable",
    "enableConfigMapMutable",
    "enablePatchForce",
    "enableSecretMutable",
    "enableServerSideApply",
    "suppressDeprecationWarnings",
    "suppressHelmHookWarnings",
    "upsertExistingObjects",
)
# Without effect here: there are no such warnings, and this client has no limit of its own.
_IGNORED = ("__internal", "__defaults", "version", "kubeClientSettings")


@dataclass(frozen=True, kw_only=True)
class Settings:
    kubeconfig: str | None = None
    """A path, several as in KUBECONFIG, or the content itself. None: KUBECONFIG, ~/.kube/config, or the pod's own."""
    context: str | None = None
    cluster: str | None = None
    namespace: str | None = None
    data_changes: frozenset[str] = frozenset()
    """The kinds (Secret, ConfigMap) whose data changes in place; of others a change of data makes a new object."""
    force: bool = False
    """Take fields from whoever has them."""
    upsert: bool = False
    """Take over objects that were there before, whoever made them."""
    delete_unreachable: bool = False
    """A cluster that does not answer is gone, and so is all that was in it."""


def settings(config: Mapping[str, Any]) -> Settings:
    """Raises ProviderError for what is no configuration, Unsupported for what is not carried out here."""
    given = {key: value for key, value in config.items() if value not in (None, "")}
    switches = {name: _switch(name, given[name]) for name in _SWITCHES if name in given}
    refused = sorted(
        key for key, value in given.items() if key not in (*_TEXTS, *_SWITCHES, *_IGNORED) and not _is_off(value)
    )
    if not switches.get("enableServerSideApply", True):
        refused.append("enableServerSideApply=false")
    if refused:
        raise Unsupported(
            f"kubernetes provider: this engine does not carry out {', '.join(refused)}; there are "
            f"{', '.join((*_TEXTS, *_SWITCHES))}. Use the official pulumi CLI for a program that needs it"
        )
    return Settings(
        **{name: _text(name, given[name]) for name in _TEXTS if name in given},
        data_changes=frozenset(
            kind
            for kind, name in (("Secret", "enableSecretMutable"), ("ConfigMap", "enableConfigMapMutable"))
            if switches.get(name)
        ),
        force=switches.get("enablePatchForce", False),
        upsert=switches.get("upsertExistingObjects", False),
        delete_unreachable=switches.get("deleteUnreachable", False),
    )


def _text(name: str, value: Any) -> str:
    if isinstance(value, Mapping) and name == "kubeconfig":
        return json.dumps(value)
    if not isinstance(value, str):
        raise ProviderError(f"kubernetes provider: {name} must be a text, and is of type {type(value).__name__}")
    return value


def _switch(name: str, value: Any) -> bool:
    decided = {"true": True, "false": False}.get(str(value).lower())
    if decided is None:
        raise ProviderError(f"kubernetes provider: {name} must be true or false, and is {value!r}")
    return decided


def _is_off(value: Any) -> bool:
    return str(value).lower() in ("false", "{}", "[]", "null")
