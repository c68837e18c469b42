"""Whose an object is, and its fields: the names under which they were applied to the API server."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from engine.providers.base import Call, Properties
from engine.providers.kubernetes.errors import Conflict
from engine.providers.kubernetes.record import FIELD_MANAGER

FORCE = "pulumi.com/patchForce"
MANAGER = "pulumi.com/patchFieldManager"
_PREFIX = "pulumi-kubernetes"
_SUFFIX_LENGTH = 8
# As which the official provider creates objects, before it applies them under a name of their own.
_OFFICIAL = frozenset({"pulumi-kubernetes", "pulumi-kubernetes.exe", "pulumi-resource-kubernetes"})


def manager_of(call: Call, inputs: Properties, recorded: Properties) -> str:
    """The same for a resource always: what a create that was killed has left is known by it."""
    made = f"{_PREFIX}-{hashlib.sha256(call.urn.encode()).hexdigest()[:_SUFFIX_LENGTH]}"
    return annotation(inputs, MANAGER) or recorded.get(FIELD_MANAGER) or made


def annotation(manifest: Mapping[str, Any], name: str) -> str:
    metadata = manifest.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    value = annotations.get(name) if isinstance(annotations, Mapping) else None
    return value if isinstance(value, str) else ""


def claimed(manifest: Properties, manager: str) -> Properties:
    """With a note of its manager if it is nothing but a name: an owner of no field is not remembered by the API."""
    metadata = manifest["metadata"]
    says_more = any(value for key, value in manifest.items() if key not in ("apiVersion", "kind", "metadata"))
    if says_more or any(value for key, value in metadata.items() if key not in ("name", "namespace")):
        return manifest
    return {**manifest, "metadata": {**metadata, "annotations": {MANAGER: manager}}}


def is_managed(live: Mapping[str, Any], manager: str) -> bool:
    return any(
        entry.get("manager") == manager and entry.get("operation") == "Apply"
        for entry in live["metadata"].get("managedFields") or ()
    )


def managers(live: Mapping[str, Any]) -> str:
    """Who has a hand in it, for a message."""
    names = {entry.get("manager", "") for entry in live["metadata"].get("managedFields") or ()}
    return ", ".join(sorted(name for name in names if name)) or "nobody that is known"


def may_be_taken(conflicts: Iterable[Conflict]) -> bool:
    """Whether fields were changed by hand, with kubectl, or are the official provider's: the program decides on them.

    What another program manages (an autoscaler, a deployment tool) is not taken away from it.
    """
    return all(each.manager in _OFFICIAL or each.manager.split("-")[0] == "kubectl" for each in conflicts)


def handed_over(live: Mapping[str, Any], manager: str) -> list[dict[str, Any]] | None:
    """The JSON patch by which what the official provider created becomes what `manager` applies; None for nothing.

    Without it a field that the program no longer has would stay: its first owner is still there.
    """
    entries = list(live["metadata"].get("managedFields") or ())
    theirs = [
        entry
        for entry in entries
        if entry.get("manager") in _OFFICIAL and entry.get("operation") == "Update" and not entry.get("subresource")
    ]
    if not theirs:
        return None
    mine = next((entry for entry in entries if entry.get("manager") == manager and entry["operation"] == "Apply"), None)
    fields: dict[str, Any] = {}
    for entry in [*theirs, *([mine] if mine else [])]:
        fields = _union(fields, entry.get("fieldsV1", {}))
    whole = {**(mine or theirs[0]), "manager": manager, "operation": "Apply", "fieldsV1": fields}
    kept = [entry for entry in entries if entry not in theirs and entry is not mine]
    version = live["metadata"]["resourceVersion"]
    return [
        {"op": "test", "path": "/metadata/resourceVersion", "value": version},
        {"op": "replace", "path": "/metadata/managedFields", "value": [*kept, whole]},
    ]


def _union(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(one)
    for key, value in other.items():
        result[key] = _union(result[key], value) if key in result else value
    return result
