"""Reading the objects of a cluster, in the words that rules use."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pulumi_policy import PolicyResource, StackValidationArgs

from policies.rules import tokens
from policies.rules.values import Inputs, each

COMPONENT = "app.kubernetes.io/component"
BACKENDS = frozenset({"postgres", "redis", "qdrant", "object-store"})
"""What the label `app.kubernetes.io/component` says of a backend."""

SERVING = frozenset({tokens.STATEFUL_SET, tokens.DEPLOYMENT, tokens.DAEMON_SET, tokens.POD})
"""The types that run pods without an end."""

PODS = SERVING | {tokens.JOB, tokens.CRON_JOB}
"""The types that run pods, or are one."""

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


@dataclass(frozen=True)
class Container:
    where: str  # the property, as in `spec.template.spec.containers[0]`
    inputs: Inputs
    serves: bool  # runs as long as the pod does; one of `initContainers` does not

    @property
    def security(self) -> Inputs:
        return self.inputs.get("securityContext") or {}


@dataclass(frozen=True)
class Pod:
    """The pod that a resource is, or that it makes."""

    where: str  # the property that holds its `spec`
    namespace: str
    labels: Inputs
    spec: Inputs

    @property
    def backend(self) -> str | None:
        """Which backend runs in it."""
        component = self.labels.get(COMPONENT)
        return component if component in BACKENDS else None

    @property
    def security(self) -> Inputs:
        return self.spec.get("securityContext") or {}

    @property
    def containers(self) -> Iterator[Container]:
        for key in ("initContainers", "containers"):
            for index, inputs in enumerate(each(self.spec, key)):
                yield Container(f"{self.where}.{key}[{index}]", inputs, key == "containers")


_TEMPLATES = {tokens.POD: (), tokens.CRON_JOB: ("spec", "jobTemplate", "spec", "template")}


def pod(resource_type: str, inputs: Inputs) -> Pod:
    """The pod of one of `PODS`."""
    path = _TEMPLATES.get(resource_type, ("spec", "template"))
    template = _within(inputs, *path)
    labels = _within(template, "metadata", "labels")
    return Pod(".".join((*path, "spec")), namespace(inputs), labels, _within(template, "spec"))


def backends(stack: StackValidationArgs) -> Iterator[tuple[PolicyResource, Pod]]:
    """What runs the backends of a stack. A job that carries such a label serves nobody."""
    for resource in stack.resources:
        if resource.resource_type in SERVING:
            found = pod(resource.resource_type, resource.props)
            if found.backend:
                yield resource, found


def of(stack: StackValidationArgs, resource_type: str, within: str | None = None) -> Iterator[PolicyResource]:
    """The resources of a type, all or those in a namespace."""
    for resource in stack.resources:
        if resource.resource_type == resource_type and within in (None, namespace(resource.props)):
            yield resource


def name(inputs: Inputs) -> str:
    return _within(inputs, "metadata").get("name") or ""


def namespace(inputs: Inputs) -> str:
    return _within(inputs, "metadata").get("namespace") or "default"


def selects(selector: Inputs | None, labels: Inputs) -> bool:
    """Whether a label selector takes what has these labels. An empty one takes everything, none takes nothing."""
    if selector is None:
        return False
    wanted: Inputs = selector.get("matchLabels") or {}
    if any(labels.get(key) != wanted[key] for key in wanted):
        return False
    return all(_meets(expression, labels) for expression in each(selector, "matchExpressions"))


def _meets(expression: Inputs, labels: Inputs) -> bool:
    operator, found = expression["operator"], labels.get(expression["key"])
    listed = found in list(each(expression, "values"))
    met = {"In": listed, "NotIn": not listed, "Exists": found is not None, "DoesNotExist": found is None}
    return met.get(operator, False)


def _within(inputs: Inputs, *path: str) -> Inputs:
    for key in path:
        inputs = inputs.get(key) or {}
    return inputs


def is_empty(selector: Inputs | None) -> bool:
    """Whether it is there and takes everything."""
    return selector is not None and not any(each(selector, key) for key in ("matchLabels", "matchExpressions"))


def commands(container: Container) -> Iterator[tuple[str, Iterable[str]]]:
    """Property and words of everything that it runs: itself, its probes and its hooks."""
    for key in ("command", "args"):
        yield f"{container.where}.{key}", each(container.inputs, key)
    hooks: Inputs = container.inputs.get("lifecycle") or {}
    for where, holder, keys in (("", container.inputs, PROBES), (".lifecycle", hooks, ("postStart", "preStop"))):
        for key in keys:
            action: Inputs = (holder.get(key) or {}).get("exec") or {}
            yield f"{container.where}{where}.{key}.exec.command", each(action, "command")
