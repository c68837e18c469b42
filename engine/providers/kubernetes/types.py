"""Which kind a resource's type is, and which types are none."""

from engine.providers.base import Properties, Unsupported

_NOT_KINDS = ("helm.sh", "kustomize", "yaml")


def kind_of(type: str) -> tuple[str, str]:
    """("apps/v1", "StatefulSet") of `kubernetes:apps/v1:StatefulSet`. Raises Unsupported for what is no kind."""
    _, module, name = type.split(":", 2)
    group = module.partition("/")[0]
    if group in _NOT_KINDS:
        raise Unsupported(
            f"{type} is not carried out by this engine: it makes objects one by one. Write the objects themselves in "
            "the program, or use the official pulumi CLI"
        )
    if is_builtin(module) and name.endswith("Patch"):
        raise Unsupported(
            f"{type} is not carried out by this engine: it owns whole objects. Use the official pulumi CLI"
        )
    if is_builtin(module) and name.endswith("List"):
        raise Unsupported(f"{type} is no object of its own: make the objects of the list one by one")
    return module.removeprefix("core/"), name


def identified(type: str, properties: Properties) -> tuple[str, str]:
    """apiVersion and kind as they are said; those of the type for what says none."""
    api_version, kind = kind_of(type)
    return properties.get("apiVersion") or api_version, properties.get("kind") or kind


def is_builtin(api_version: str) -> bool:
    """Whether a kind is Kubernetes' own, and not that of an extension."""
    group = api_version.partition("/")[0]
    return "." not in group or group.endswith(".k8s.io")
