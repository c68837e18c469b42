"""What is recorded of an object: the live one, beside it the inputs it was made from. As the official provider does."""

from collections.abc import Callable, Mapping
from typing import Any

from engine.providers.base import Properties
from engine.providers.kubernetes.manifest import group_kind
from engine.values import INPUTS, Secret, mark_secrets

INITIAL_API_VERSION = "__initialApiVersion"
FIELD_MANAGER = "__fieldManager"
_NOTES = (INPUTS, INITIAL_API_VERSION, FIELD_MANAGER)
_DASHED = {
    f"x_kubernetes_{name.replace('-', '_')}": f"x-kubernetes-{name}"
    for name in (
        "embedded-resource",
        "int-or-string",
        "list-map-keys",
        "list-type",
        "map-type",
        "preserve-unknown-fields",
        "validations",
    )
}
_UNDERSCORED = {dashed: plain for plain, dashed in _DASHED.items()}
_SECRET = ("data", "stringData")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"  # where `kubectl apply` leaves a copy of all data
# What is different in each answer, though nothing happened that a stack has to know of.
_NOISE = ("generation", "managedFields", "resourceVersion")
_STATUS = ("capacity", "loadBalancer", "phase")  # what programs read of a status


def is_secret(manifest: Mapping[str, Any]) -> bool:
    return group_kind(manifest) == ("", "Secret")


def outputs(live: Mapping[str, Any], inputs: Properties, manager: str, initial: str) -> Properties:
    """With everything that a Secret holds marked, also where the inputs of the program were not."""
    return {
        **guarded(_renamed(live, _UNDERSCORED)),
        INPUTS: guarded(_renamed(inputs, _UNDERSCORED)),
        INITIAL_API_VERSION: initial,
        FIELD_MANAGER: manager,
    }


def guarded_outputs(recorded: Properties) -> Properties:
    return {**guarded(recorded), INPUTS: guarded(recorded.get(INPUTS, {}))}


def live_of(recorded: Properties) -> Properties:
    """The object without the notes beside it."""
    return {key: value for key, value in recorded.items() if key not in _NOTES}


def sent(inputs: Properties) -> Properties:
    """What the API is given."""
    manifest: Properties = _renamed(inputs, _DASHED)
    return manifest


def news(recorded: Properties) -> Properties:
    """The part of a record in which a change is worth telling."""
    live = live_of(recorded)
    metadata = {key: value for key, value in live.get("metadata", {}).items() if key not in _NOISE}
    status = {key: value for key, value in (live.get("status") or {}).items() if key in _STATUS}
    return {**live, "metadata": metadata, "status": status}


def guarded(manifest: Properties) -> Properties:
    """With what a Secret holds marked, whether or not the program calls it secret."""
    if not manifest.get("kind") or not is_secret(manifest):
        return manifest
    marked = mark_secrets(manifest, _SECRET)
    metadata = manifest.get("metadata")
    if isinstance(metadata, Mapping) and isinstance(metadata.get("annotations"), Mapping):
        annotations = mark_secrets(metadata["annotations"], (_LAST_APPLIED,))
        marked["metadata"] = {**metadata, "annotations": annotations}
    return marked


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    return _keys(value, lambda key: names.get(key, key))


def _keys(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, Mapping):
        return {change(key): _keys(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_keys(item, change) for item in value]
    if isinstance(value, Secret):
        return Secret(_keys(value.value, change))
    return value
