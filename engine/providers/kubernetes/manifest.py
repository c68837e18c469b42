"""A Kubernetes object as it is sent and recorded: normalised, named, and cut to the shape of what a program said."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from engine.providers.base import Call, Properties
from engine.values import UNKNOWN

AUTONAMED = "pulumi.com/autonamed"
DEFAULT_NAMESPACE = "default"
_SUFFIX_LENGTH = 8
# What the API server writes into `metadata`; a program that has it, from another object, does not mean it.
_SERVERS = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid")
# Lists that the API merges by these keys of their elements, and never takes from one what another has added.
_KEYS: Mapping[str, tuple[str, ...]] = {
    "containers": ("name",),
    "env": ("name",),
    "ephemeralContainers": ("name",),
    "hostAliases": ("ip",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "secrets": ("name",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "volumeDevices": ("devicePath",),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
# Mappings that the API takes as a whole: a key more in one selects other objects.
_WHOLE = frozenset({"labelSelector", "matchLabels", "namespaceSelector", "nodeSelector", "podSelector", "selector"})
# Kinds of Kubernetes' own groups that are in no namespace; of others only the API server knows.
CLUSTER_SCOPED = frozenset(
    {
        ("", "Namespace"),
        ("", "Node"),
        ("", "PersistentVolume"),
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("apiregistration.k8s.io", "APIService"),
        ("networking.k8s.io", "IngressClass"),
        ("node.k8s.io", "RuntimeClass"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        ("scheduling.k8s.io", "PriorityClass"),
        ("storage.k8s.io", "CSIDriver"),
        ("storage.k8s.io", "StorageClass"),
        ("storage.k8s.io", "VolumeAttachment"),
    }
)


def group_kind(manifest: Mapping[str, Any]) -> tuple[str, str]:
    """("apps", "StatefulSet"); the group of Kubernetes' core is empty."""
    group, slash, _ = manifest["apiVersion"].rpartition("/")
    return (group if slash else "", manifest["kind"])


def normalised(inputs: Properties) -> Properties:
    """Without nulls and what only the server writes; whole numbers as integers; a Secret's `stringData` as `data`."""
    manifest: Properties = _tidy(inputs)
    given = manifest.get("metadata", {})
    if given is UNKNOWN:
        given = {"name": UNKNOWN}
    manifest["metadata"] = {key: value for key, value in given.items() if key not in _SERVERS}
    manifest.pop("status", None)
    if group_kind(manifest) == ("", "Secret") and "stringData" in manifest:
        texts = manifest.pop("stringData")
        if texts is UNKNOWN:
            manifest["data"] = UNKNOWN
        else:
            data = manifest.get("data", {})
            encoded = {key: _encoded(text) for key, text in texts.items()}
            manifest["data"] = UNKNOWN if data is UNKNOWN else {**data, **encoded}
    return manifest


def named(call: Call, old_inputs: Properties | None, manifest: Properties, namespace: str | None) -> Properties:
    """With a name where the program gives none, the one of before or a new one, and with its namespace.

    `namespace`: where objects go that say none; None for one that is in no namespace.
    """
    metadata = dict(manifest["metadata"])
    if not metadata.get("name") and not metadata.get("generateName"):
        before = (old_inputs or {}).get("metadata", {})
        kept = before.get("name") if before.get("annotations", {}).get(AUTONAMED) == "true" else None
        metadata["name"] = kept or f"{call.name}-{_suffix(call)}"
        if (annotations := metadata.get("annotations", {})) is not UNKNOWN:
            metadata["annotations"] = {**annotations, AUTONAMED: "true"}
    if namespace is not None and not metadata.get("namespace"):
        metadata["namespace"] = namespace
    return {**manifest, "metadata": metadata}


def object_id(manifest: Mapping[str, Any]) -> str:
    """`<namespace>/<name>`, or `<name>` for what is in no namespace."""
    metadata = manifest["metadata"]
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])


def pruned(live: Any, shape: Any, name: str = "") -> Any:
    """Of `live` what `shape` speaks of. What it speaks of and is not there stays out. `name`: the key that they are at.

    Lists of named things (containers, variables, volumes) are shared with others, who may add to them. All other
    lists, and selectors, are the program's as a whole: what is more in them is something it does not want.
    """
    if isinstance(live, Mapping) and isinstance(shape, Mapping):
        if name in _WHOLE:
            return live
        return {key: pruned(live[key], item, key) for key, item in shape.items() if key in live}
    if isinstance(live, list) and isinstance(shape, list):
        if (keys := _KEYS.get(name)) is not None and all(isinstance(item, Mapping) for item in (*live, *shape)):
            twins = [(_twin(live, item, keys), item) for item in shape]
            return [pruned(twin, item) for twin, item in twins if twin is not None]
        both = [pruned(item, twin) for item, twin in zip(live, shape, strict=False)]
        return both + live[len(shape) :]
    return live


def _twin(live: list[Any], item: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((each for each in live if all(each.get(key) == item.get(key, each.get(key)) for key in keys)), None)


def _tidy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _tidy(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_tidy(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)  # on the wire of Pulumi every number is a double
    return value


def _encoded(text: Any) -> Any:
    return UNKNOWN if text is UNKNOWN else base64.b64encode(str(text).encode()).decode()


def _suffix(call: Call) -> str:
    return hashlib.sha256(call.random_seed + call.urn.encode()).hexdigest()[:_SUFFIX_LENGTH]
