"""Who can reach a backend in a cluster: whom a NetworkPolicy names, and nobody else."""

from collections.abc import Iterator

from pulumi_policy import ResourceValidationArgs, Severity, StackValidationArgs

from policies.rules import tokens, values
from policies.rules.kubernetes import objects
from policies.rules.rule import ResourceRule, StackRule
from policies.rules.values import Inputs

_DIRECTIONS = {"Ingress", "Egress"}


def default_deny(stack: StackValidationArgs) -> Iterator[tuple[str, str]]:
    closed = closed_namespaces(stack)
    told: set[str] = set()
    for resource, pod in objects.backends(stack):
        if pod.namespace not in closed | told:
            told.add(pod.namespace)
            yield (
                resource.urn,
                (
                    f"metadata.namespace: no NetworkPolicy of {pod.namespace} denies what is not allowed, so every pod "
                    "of the cluster reaches whatever starts there; write one with "
                    "spec: {podSelector: {}, policyTypes: [Ingress, Egress]}"
                ),
            )


def closed_namespaces(stack: StackValidationArgs) -> set[str]:
    """Those in which nothing may talk that no other policy lets talk."""
    return {
        objects.namespace(policy.props)
        for policy in objects.of(stack, tokens.NETWORK_POLICY)
        if _denies_everything(policy.props.get("spec") or {})
    }


def _denies_everything(spec: Inputs) -> bool:
    rules = [*values.each(spec, "ingress"), *values.each(spec, "egress")]
    return (
        objects.is_empty(spec.get("podSelector")) and set(values.each(spec, "policyTypes")) == _DIRECTIONS and not rules
    )


def no_ingress_from_everywhere(args: ResourceValidationArgs) -> Iterator[str]:
    for index, rule in enumerate(values.each(args.props.get("spec") or {}, "ingress")):
        where, peers = f"spec.ingress[{index}].from", values.each(rule, "from")
        if not peers:
            yield (
                f"{where}: nothing is named, which is everything in and around the cluster; write the "
                "namespaceSelector and the podSelector of who may come in"
            )
        for number, peer in enumerate(peers):
            if found := _everywhere(peer):
                yield f"{where}[{number}].{found}; write the namespaceSelector and the podSelector of who may come in"


def _everywhere(peer: Inputs) -> str | None:
    addresses = (peer.get("ipBlock") or {}).get("cidr") or ""
    if addresses.endswith("/0"):
        return f"ipBlock: {addresses} is the whole internet"
    pods = peer.get("podSelector")
    if objects.is_empty(peer.get("namespaceSelector")) and (pods is None or objects.is_empty(pods)):
        return "namespaceSelector: an empty one is every pod of every namespace"
    return None


def service_inside(args: ResourceValidationArgs) -> Iterator[str]:
    spec: Inputs = args.props.get("spec") or {}
    kind = spec.get("type") or "ClusterIP"
    if kind in ("NodePort", "LoadBalancer"):
        yield (
            f"spec.type: {kind} opens the backend to other machines; write type: ClusterIP, and `strata forward` for "
            "who administrates it"
        )
    if addresses := list(values.each(spec, "externalIPs")):
        yield f"spec.externalIPs: {', '.join(addresses)} leads from outside to the backend; leave it out"


RULES = (
    StackRule(
        name="default-deny",
        description="In the namespace of the backends nothing talks that no policy lets talk.",
        check=default_deny,
        severity=Severity.CRITICAL,
        remediation_steps="Add a NetworkPolicy for all pods, of both policyTypes and without a rule.",
        url="https://kubernetes.io/docs/concepts/services-networking/network-policies/#default-policies",
    ),
    ResourceRule(
        name="ingress-from-somebody",
        description="A NetworkPolicy names those whom it lets in.",
        applies_to=frozenset({tokens.NETWORK_POLICY}),
        check=no_ingress_from_everywhere,
        severity=Severity.CRITICAL,
        remediation_steps="Name the namespace and the pods in each `from`.",
        url="https://kubernetes.io/docs/concepts/services-networking/network-policies/#behavior-of-to-and-from-selectors",
    ),
    ResourceRule(
        name="service-inside",
        description="A Service is reached inside of its cluster only.",
        applies_to=frozenset({tokens.SERVICE}),
        check=service_inside,
        severity=Severity.CRITICAL,
        remediation_steps="Use type ClusterIP and no externalIPs.",
        url="https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types",
    ),
)
