"""A pod that nobody looks at: it moves when its node goes, stops cleanly, and says what it is."""

import math
from collections.abc import Iterator

from pulumi_policy import PolicyResource, ResourceValidationArgs, Severity, StackValidationArgs

from policies.rules import operations, tokens, values
from policies.rules.kubernetes import objects
from policies.rules.rule import ResourceRule, StackRule
from policies.rules.values import Inputs

_KUBERNETES_GRACE_SECONDS = 30
_LABELS = tuple(f"app.kubernetes.io/{key}" for key in ("name", "instance", "component", "part-of", "managed-by"))


def disruption_budget(stack: StackValidationArgs) -> Iterator[tuple[str, str]]:
    for resource, pod in objects.backends(stack):
        if resource.resource_type == tokens.STATEFUL_SET:
            budgets = [
                budget
                for budget in objects.of(stack, tokens.DISRUPTION_BUDGET, pod.namespace)
                if objects.selects(_spec(budget).get("selector"), pod.labels)
            ]
            yield from _wrong_budgets(resource, budgets)


def _wrong_budgets(resource: PolicyResource, budgets: list[PolicyResource]) -> Iterator[tuple[str, str]]:
    replicas = _spec(resource).get("replicas")
    pods = max(1, int(1 if replicas is None else replicas))
    if not budgets:
        yield (
            resource.urn,
            (
                "spec.selector: no PodDisruptionBudget selects these pods, so a drain ends all of them at once; write "
                "one with spec: {maxUnavailable: 1, selector: …}"
            ),
        )
    if len(budgets) > 1:
        names = " and ".join(objects.name(budget.props) for budget in budgets)
        yield budgets[0].urn, f"spec.selector: {names} select the same pods, which no drain can evict then; keep one"
    for budget in budgets:
        if not _may_leave(_spec(budget), pods):
            yield (
                budget.urn,
                (
                    f"spec: none of {pods} pods may be away, so a drain of their node never ends; write "
                    "maxUnavailable: 1 in place of minAvailable"
                ),
            )


def _may_leave(budget: Inputs, pods: int) -> bool:
    """Whether a drain can move one of them. Kubernetes rounds parts of a pod up, for both settings."""
    if (most := budget.get("maxUnavailable")) is not None:
        return _share(most, pods) >= 1
    return _share(budget.get("minAvailable") or 0, pods) < pods


def _share(value: float | str, pods: int) -> int:
    if isinstance(value, str) and value.endswith("%"):
        return math.ceil(float(value.removesuffix("%")) * pods / 100)
    return int(value)


def stops_cleanly(args: ResourceValidationArgs) -> Iterator[str]:
    pod = objects.pod(args.resource_type, args.props)
    needed = operations.SHUTDOWN_SECONDS.get(pod.backend or "", operations.ANY_SHUTDOWN_SECONDS)
    said = pod.spec.get("terminationGracePeriodSeconds")
    grace = _KUBERNETES_GRACE_SECONDS if said is None else said
    if pod.backend and grace < needed:
        yield (
            f"{pod.where}.terminationGracePeriodSeconds: {grace:g} s are too short, so a rollout or a drain kills "
            f"{pod.backend} while it writes; write terminationGracePeriodSeconds: {needed}"
        )


def secrets_follow(args: ResourceValidationArgs) -> Iterator[str]:
    pod = objects.pod(args.resource_type, args.props)
    secrets = {volume["name"] for volume in values.each(pod.spec, "volumes") if _holds_secrets(volume)}
    for container in pod.containers:
        for index, mount in enumerate(values.each(container.inputs, "volumeMounts")):
            if mount["name"] in secrets and (mount.get("subPath") or mount.get("subPathExpr")):
                yield (
                    f"{container.where}.volumeMounts[{index}].subPath: a file that is mounted so stays as it was when "
                    "the Secret changes, such as a renewed certificate; mount the whole Secret in a folder"
                )


def _holds_secrets(volume: Inputs) -> bool:
    sources = values.each(volume.get("projected") or {}, "sources")
    return values.is_given(volume, "secret") or any(values.is_given(source, "secret") for source in sources)


def recommended_labels(args: ResourceValidationArgs) -> Iterator[str]:
    labels: Inputs = (args.props.get("metadata") or {}).get("labels") or {}
    if missing := [label for label in _LABELS if not values.is_given(labels, label)]:
        yield (
            f"metadata.labels: {', '.join(missing)} not set, so neither people nor tools find what belongs together; "
            "write labels from KubernetesContext.labels"
        )


def _spec(resource: PolicyResource) -> Inputs:
    return resource.props.get("spec") or {}


RULES = (
    StackRule(
        name="disruption-budget",
        description="A drain moves a backend's pods one after another, and is never kept from it.",
        check=disruption_budget,
        severity=Severity.HIGH,
        remediation_steps="Give each StatefulSet one PodDisruptionBudget with maxUnavailable 1.",
        url="https://kubernetes.io/docs/tasks/run-application/configure-pdb/",
    ),
    ResourceRule(
        name="pod-stops-cleanly",
        description="A backend's pod gets the time that its server needs to shut down.",
        applies_to=objects.SERVING,
        check=stops_cleanly,
        severity=Severity.HIGH,
        remediation_steps="Set terminationGracePeriodSeconds.",
        url="https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination",
    ),
    ResourceRule(
        name="secrets-follow",
        description="A Secret that changes changes in the pods that mount it.",
        applies_to=objects.PODS,
        check=secrets_follow,
        severity=Severity.MEDIUM,
        remediation_steps="Mount the Secret as a folder, without subPath.",
        url="https://kubernetes.io/docs/concepts/configuration/secret/#using-secrets-as-files-from-a-pod",
    ),
    ResourceRule(
        name="recommended-labels",
        description="A StatefulSet has Kubernetes' recommended labels.",
        applies_to=frozenset({tokens.STATEFUL_SET}),
        check=recommended_labels,
        severity=Severity.LOW,
        remediation_steps="Take the labels from KubernetesContext.labels.",
        url="https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/",
    ),
)
