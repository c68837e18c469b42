"""What a program asks for in one RegisterResource call, and the refusal of what this engine does not carry out."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlparse

from engine.aliases import Alias
from engine.proto import alias_pb2, resource_pb2
from engine.providers.base import Unsupported
from engine.state import PROVIDER_TYPE_PREFIX, CustomTimeouts, ResourceState
from engine.values import Properties
from engine.wire import from_struct

_DURATION_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, kw_only=True)
class Goal:
    """One resource as the program wants it. `None` is "not said", which a parent's value may fill."""

    type: str
    name: str
    custom: bool
    parent: str = ""
    inputs: Properties = field(default_factory=dict)
    provider: str = ""  # "<urn>::<id>"
    providers: Mapping[str, str] = field(default_factory=dict)  # components: package → provider for children
    version: str = ""
    plugin_url: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    protect: bool | None = None
    retain_on_delete: bool | None = None
    deleted_with: str = ""
    replace_with: tuple[str, ...] = ()
    delete_before_replace: bool | None = None
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    aliases: tuple[Alias | str, ...] = ()  # texts are URNs
    custom_timeouts: CustomTimeouts | None = None
    source_position: str = ""

    @property
    def package(self) -> str:
        """`docker` for docker:index/container:Container; of a provider resource, the package it provides."""
        return self.type.removeprefix(PROVIDER_TYPE_PREFIX).split(":", 1)[0]

    @property
    def is_provider(self) -> bool:
        return self.type.startswith(PROVIDER_TYPE_PREFIX)

    def inherit(self, parent: "Goal") -> "Goal":
        """With what a parent says and this resource does not."""
        same_package = parent.provider.partition("::" + PROVIDER_TYPE_PREFIX)[2].split("::")[0] == self.package
        return replace(
            self,
            protect=parent.protect if self.protect is None else self.protect,
            retain_on_delete=parent.retain_on_delete if self.retain_on_delete is None else self.retain_on_delete,
            deleted_with=self.deleted_with or parent.deleted_with,
            provider=self.provider or (parent.provider if same_package or not self.custom else ""),
        )

    def entry(self, urn: str, *, alias: str = "") -> ResourceState:
        """What the state will say of it, before its step. `alias` is the URN that it had."""
        return ResourceState(
            urn=urn,
            type=self.type,
            custom=self.custom,
            inputs=self.inputs,
            parent=self.parent,
            provider=self.provider if self.custom else "",
            dependencies=self.dependencies,
            property_dependencies=self.property_dependencies,
            protect=bool(self.protect),
            retain_on_delete=bool(self.retain_on_delete),
            deleted_with=self.deleted_with,
            replace_with=self.replace_with,
            additional_secret_outputs=self.additional_secret_outputs,
            aliases=(alias,) if alias else (),
            custom_timeouts=self.custom_timeouts,
            ignore_changes=self.ignore_changes,
            replace_on_changes=self.replace_on_changes,
            source_position=self.source_position,
        )


def from_request(request: resource_pb2.RegisterResourceRequest, root: Path) -> Goal:
    """Raises Unsupported, naming resource and option. `root` is the folder that source positions are relative to."""
    _refuse(request)
    inputs = from_struct(request.object)
    if request.custom and request.type.startswith(PROVIDER_TYPE_PREFIX):  # of which the SDK says two beside its inputs
        said = {"version": request.version.removeprefix("v"), "pluginDownloadURL": request.pluginDownloadURL}
        inputs |= {key: value for key, value in said.items() if value}
    dependencies = tuple(sorted(request.dependencies))
    named = {key: tuple(sorted(value.urns)) for key, value in request.propertyDependencies.items()}
    return Goal(
        type=request.type,
        name=request.name,
        custom=request.custom,
        parent=request.parent,
        inputs=inputs,
        provider=request.provider,
        providers=dict(request.providers),
        version=request.version.removeprefix("v"),
        plugin_url=request.pluginDownloadURL,
        dependencies=dependencies,
        property_dependencies=named or dict.fromkeys(inputs, dependencies),
        protect=request.protect if request.HasField("protect") else None,
        retain_on_delete=request.retainOnDelete if request.HasField("retainOnDelete") else None,
        deleted_with=request.deletedWith,
        replace_with=tuple(request.replace_with),
        delete_before_replace=request.deleteBeforeReplace
        if request.deleteBeforeReplaceDefined or request.deleteBeforeReplace
        else None,
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        aliases=(*map(_alias, request.aliases), *request.aliasURNs),
        custom_timeouts=_timeouts(request),
        source_position=_position(request, root),
    )


def from_read(request: resource_pb2.ReadResourceRequest, root: Path) -> tuple[Goal, str]:
    """And its id, `UNKNOWN_TEXT` if a preview does not know it. Raises Unsupported."""
    if request.packageRef:
        raise Unsupported(
            f"{request.type} {request.name!r} uses a parameterised package, which the embedded engine does not "
            "support; leave it out, or use the pulumi CLI"
        )
    goal = Goal(
        type=request.type,
        name=request.name,
        custom=True,
        parent=request.parent,
        inputs=from_struct(request.properties),
        provider=request.provider,
        version=request.version.removeprefix("v"),
        plugin_url=request.pluginDownloadURL,
        dependencies=tuple(sorted(request.dependencies)),
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        source_position=_position(request, root),
    )
    return goal, request.id


def _refuse(request: resource_pb2.RegisterResourceRequest) -> None:
    unsupported: dict[str, Any] = {
        "import_": request.importId,
        "transforms": request.transforms,
        "hooks": request.hooks.ListFields(),
        "replacement_trigger": request.HasField("replacement_trigger"),
        "a remote component": request.remote,
        "a parameterised package": request.packageRef,
        "env_var_mappings": request.envVarMappings,
        "state migrations": request.state_migrations,
    }
    used = [option for option, value in unsupported.items() if value]
    if used:
        raise Unsupported(
            f"{request.type} {request.name!r} uses {', '.join(used)}, which the embedded engine does not support; "
            "leave it out, or use the pulumi CLI"
        )


def _alias(message: alias_pb2.Alias) -> Alias:
    spec = message.spec
    return Alias(
        urn=message.urn,
        name=spec.name,
        type=spec.type,
        parent=spec.parentUrn,
        no_parent=spec.noParent,
        project=spec.project,
        stack=spec.stack,
    )


def _timeouts(request: resource_pb2.RegisterResourceRequest) -> CustomTimeouts | None:
    if not request.HasField("customTimeouts"):
        return None
    asked = request.customTimeouts
    return CustomTimeouts(
        create=seconds(asked.create),
        update=seconds(asked.update),
        delete=seconds(asked.delete),
        read=seconds(asked.read),
    )


def seconds(duration: str) -> float:
    """A Go duration such as "1h30m" or "500ms" in seconds; "" is 0. Raises Unsupported for anything else."""
    if re.sub(_DURATION_PART, "", duration):
        raise Unsupported(f"custom timeout {duration!r} is not a duration such as 5m or 1h30m")
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION_PART.findall(duration))


def _position(request: resource_pb2.RegisterResourceRequest | resource_pb2.ReadResourceRequest, root: Path) -> str:
    """`project:///__main__.py#14`, as the official engine records it; "" outside of the project."""
    parsed = urlparse(request.sourcePosition.uri)
    if parsed.scheme != "file":
        return ""
    relative = os.path.relpath(unquote(parsed.path), root)
    return "" if relative.startswith("..") else f"project:///{relative}#{request.sourcePosition.line}"
