"""What stands behind a platform's promises in a cluster. Each yields (URN, what is missing and what to write)."""

from collections.abc import Iterator

from pulumi_policy import PolicyResource, StackValidationArgs

from policies.rules import tokens, values
from policies.rules.kubernetes import claims, network, objects
from policies.rules.values import Inputs

_ENCRYPTED = "strata.encrypted"  # annotation: the class of this claim encrypts, as the stack's settings say


def tls(stack: StackValidationArgs) -> Iterator[tuple[str, str]]:
    for resource, pod in objects.backends(stack):
        if not _has_certificate(stack, pod) and not _is_asked_over_tls(pod):
            yield (
                resource.urn,
                f"nothing tells {pod.backend} to speak TLS; mount a Secret of the stack that has tls.crt and tls.key",
            )


def _has_certificate(stack: StackValidationArgs, pod: objects.Pod) -> bool:
    """Which is what the start scripts of backends look for."""
    mounted = {
        volume["secret"].get("secretName")
        for volume in values.each(pod.spec, "volumes")
        if values.is_given(volume, "secret")
    }
    for secret in objects.of(stack, tokens.SECRET, pod.namespace):
        keys = {key for held in ("data", "stringData") for key in secret.props.get(held) or ()}
        if objects.name(secret.props) in mounted and {"tls.crt", "tls.key"} <= keys:
            return True
    return False


def _is_asked_over_tls(pod: objects.Pod) -> bool:
    """A server that speaks none never becomes ready then."""
    probes = (container.inputs.get("readinessProbe") or {} for container in pod.containers)
    return any((probe.get("httpGet") or {}).get("scheme") == "HTTPS" for probe in probes)


def network_isolated(stack: StackValidationArgs) -> Iterator[tuple[str, str]]:
    closed = network.closed_namespaces(stack)
    for resource, pod in objects.backends(stack):
        if pod.namespace not in closed:
            yield (
                resource.urn,
                f"no NetworkPolicy of {pod.namespace} denies what is not allowed to reach {pod.backend}; write one for "
                "all pods, of both policyTypes and without a rule",
            )
        policies = objects.of(stack, tokens.NETWORK_POLICY, pod.namespace)
        if not any(_is_for(policy.props.get("spec") or {}, pod) for policy in policies):
            yield resource.urn, f"no NetworkPolicy says who may reach {pod.backend}; write one that selects its pods"


def _is_for(spec: Inputs, pod: objects.Pod) -> bool:
    selector = spec.get("podSelector")
    ingress = "Ingress" in (values.each(spec, "policyTypes") or ("Ingress",))
    return ingress and not objects.is_empty(selector) and objects.selects(selector, pod.labels)


def encrypted_at_rest(stack: StackValidationArgs) -> Iterator[tuple[str, str]]:
    declared: dict[tuple[str, str], PolicyResource] = {}
    for claim in objects.of(stack, tokens.CLAIM):
        declared[objects.namespace(claim.props), objects.name(claim.props)] = claim
        if not _encrypted(stack, claim.props):
            yield claim.urn, f"nothing encrypts the claim {objects.name(claim.props)}; {_HOW}"
    for resource, pod in objects.backends(stack):
        for name, template in _claims(resource):
            if (pod.namespace, name) not in declared and not _encrypted(stack, template):
                yield resource.urn, f"nothing encrypts the claim {name} of {pod.backend}; {_HOW}"


_HOW = "write a StorageClass that encrypts under the platform's `storage`, or `encrypted: true` for one that there is"


def _claims(resource: PolicyResource) -> Iterator[tuple[str, Inputs]]:
    """The names of a backend's claims, each with the template that it is made of, if any is."""
    own = claims.claims_of(resource.resource_type, resource.props)
    yield from ((name, {}) for name in own.values() if name)
    spec: Inputs = resource.props.get("spec") or {}
    replicas = spec.get("replicas")
    for template in values.each(spec, "volumeClaimTemplates"):
        for number in range(int(1 if replicas is None else replicas)):
            yield f"{objects.name(template)}-{objects.name(resource.props)}-{number}", template


def _encrypted(stack: StackValidationArgs, claim: Inputs) -> bool:
    annotations: Inputs = (claim.get("metadata") or {}).get("annotations") or {}
    if annotations.get(_ENCRYPTED) == "true":
        return True
    wanted = (claim.get("spec") or {}).get("storageClassName")
    classes = objects.of(stack, tokens.STORAGE_CLASS)
    return any(claims.encrypts(each.props) for each in classes if wanted and objects.name(each.props) == wanted)
