"""What must happen to an object so that it is as its inputs say: nothing, an update, or another object in its place."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from engine.providers.base import Diff, Old, Properties
from engine.providers.kubernetes.manifest import AUTONAMED, DEFAULT_NAMESPACE, group_kind, pruned
from engine.providers.kubernetes.quantities import quantity
from engine.values import INPUTS, contains_unknown

_EVERY = ("metadata.name", "metadata.namespace")
# The official provider's table (provider/pkg/provider/provider.go, forceNewProperties): what the API refuses to change.
_REPLACED: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("", "ConfigMap"): ("binaryData", "data"),
    ("", "PersistentVolumeClaim"): (
        "spec.accessModes",
        "spec.selector",
        "spec.storageClassName",
        "spec.volumeName",
    ),
    ("", "Secret"): ("data", "stringData", "type"),
    ("", "Service"): ("spec.clusterIP",),
    ("apps", "DaemonSet"): ("spec.selector",),
    ("apps", "Deployment"): ("spec.selector",),
    ("apps", "StatefulSet"): (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    ("batch", "Job"): ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("roleRef",),
    ("storage.k8s.io", "StorageClass"): ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"),
}
_QUANTITIES = re.compile(
    r"(^|\.)(capacity|default|defaultRequest|hard|limits|max|maxLimitRequestRatio|min|overhead|requests)\.[^.]+$"
    r"|\.(averageValue|divisor|sizeLimit)$"
)
_TEXTS = re.compile(r"^(binaryData|data)\.|\.(annotations|labels)\.")
_DATA = frozenset({"binaryData", "data", "stringData"})


def plan(
    old: Old, inputs: Properties, *, ignored: tuple[str, ...] = (), data_changes: frozenset[str] = frozenset()
) -> Diff:
    """Compares the live object, as recorded, with what the program wants of it now.

    `ignored`: paths of the resource's `ignoreChanges`. `data_changes`: the kinds (Secret, ConfigMap) whose data may
    change in place, as the provider's `enableSecretMutable` and `enableConfigMapMutable` have it.
    """
    before = pruned(old.outputs, old.outputs.get(INPUTS, {}))
    paths = [path for path in differences(before, inputs) if not any(_within(path, each) for each in ignored)]
    group, kind = group_kind(inputs)
    forced = [path for path in _REPLACED.get((group, kind), ()) if not (kind in data_changes and path in _DATA)]
    replaces = [path for path in paths if any(_within(path, each) for each in (*_EVERY, *forced))]
    if old.outputs.get("kind") != kind:
        replaces.append("kind")
    return Diff(
        changed=bool(paths),
        replaces=tuple(dict.fromkeys(path.partition(".")[0] for path in replaces)),
        paths=tuple(paths),
        delete_before_replace=bool(replaces) and _keeps_name(old, inputs),
    )


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """The paths (`spec.template.spec.containers[0].image`) at which two objects differ."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            yield from differences(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{path}[{index}]")
    elif contains_unknown(after) or not _same(path, before, after):
        yield path


def _same(path: str, one: Any, other: Any) -> bool:
    if one == other or (_is_empty(one) and _is_empty(other)):
        return True
    if path == "metadata.namespace":
        return (one or DEFAULT_NAMESPACE) == (other or DEFAULT_NAMESPACE)
    kinds = {type(one), type(other)}
    # "8080" and 8080 of an int-or-string; "1000m" and "1" are the same where quantities are, and nowhere else.
    is_quantity = bool(_QUANTITIES.search(path)) and not _TEXTS.search(path)
    if kinds <= {str, int, float} and (kinds != {str} or is_quantity):
        value = quantity(one)
        return value is not None and value == quantity(other)
    return False


def _is_empty(value: Any) -> bool:
    return value is None or value == {} or value == []


def _within(path: str, outer: str) -> bool:
    return path == outer or path.startswith((f"{outer}.", f"{outer}[")) or outer == "*"


def _keeps_name(old: Old, inputs: Properties) -> bool:
    """Whether the program itself names the object, as before: two of that name can't be at the same time."""
    metadata, before = inputs["metadata"], old.outputs["metadata"]
    autonamed = metadata.get("annotations", {}).get(AUTONAMED) == "true" or "generateName" in metadata
    same = all(_same(f"metadata.{key}", before.get(key), metadata.get(key)) for key in ("name", "namespace"))
    return same and not autonamed
