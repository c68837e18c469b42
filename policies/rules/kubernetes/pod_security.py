"""Pods as Pod Security's `restricted` has them, and closer: what is left to somebody who got into one."""

from collections.abc import Iterator
from typing import Any

from pulumi_policy import ResourceValidationArgs, Severity, StackValidationArgs

from policies.rules import tokens, values
from policies.rules.kubernetes import objects
from policies.rules.rule import ResourceRule, StackRule

_ENFORCE = "pod-security.kubernetes.io/enforce"
_PROFILES = ("RuntimeDefault", "Localhost")
# What `restricted` lets a pod mount: nothing of its node, and no network file system that is not a claim.
_VOLUMES = frozenset(
    {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
)


def runs_as_non_root(args: ResourceValidationArgs) -> Iterator[str]:
    pod = objects.pod(args.resource_type, args.props)
    for where, security in _securities(pod):
        if security.get("runAsUser") == 0:
            yield f"{where}.runAsUser: 0 is root; write the server's own uid, as in runAsUser: 999"
    for container in pod.containers:
        if _own_or_pods(container, pod, "runAsNonRoot") is not True:
            yield (
                f"{container.where}.securityContext.runAsNonRoot: the container runs as whoever the image says, which "
                "is root in many; write runAsNonRoot: true in the pod's securityContext"
            )


def unprivileged(args: ResourceValidationArgs) -> Iterator[str]:
    for container in objects.pod(args.resource_type, args.props).containers:
        security, where = container.security, f"{container.where}.securityContext"
        if security.get("privileged"):
            yield f"{where}.privileged: the container is root on the node; leave it out"
        if security.get("allowPrivilegeEscalation") is not False:
            yield (
                f"{where}.allowPrivilegeEscalation: a setuid program can become root; write "
                "allowPrivilegeEscalation: false"
            )
        capabilities = security.get("capabilities") or {}
        if "ALL" not in values.each(capabilities, "drop"):
            yield (
                f"{where}.capabilities.drop: the container keeps the runtime's default capabilities; write drop: [ALL]"
            )
        if excess := sorted(set(values.each(capabilities, "add")) - {"NET_BIND_SERVICE"}):
            yield f"{where}.capabilities.add: {', '.join(excess)} is more than a backend needs; leave it out"


def seccomp(args: ResourceValidationArgs) -> Iterator[str]:
    pod = objects.pod(args.resource_type, args.props)
    for container in pod.containers:
        profile = _own_or_pods(container, pod, "seccompProfile") or {}
        if profile.get("type") not in _PROFILES:
            yield (
                f"{container.where}.securityContext.seccompProfile: {profile.get('type') or 'none is set'}, so every "
                "system call of the kernel is open; write seccompProfile: {type: RuntimeDefault} in the pod's "
                "securityContext"
            )


def root_filesystem_read_only(args: ResourceValidationArgs) -> Iterator[str]:
    for container in objects.pod(args.resource_type, args.props).containers:
        if not container.security.get("readOnlyRootFilesystem"):
            yield (
                f"{container.where}.securityContext.readOnlyRootFilesystem: the image's files can be changed from "
                "inside; write readOnlyRootFilesystem: true, and an emptyDir for folders that the server writes to"
            )


def not_of_its_node(args: ResourceValidationArgs) -> Iterator[str]:
    pod = objects.pod(args.resource_type, args.props)
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(key):
            yield f"{pod.where}.{key}: the pod sees what else runs on its node; leave it out"
    for index, volume in enumerate(values.each(pod.spec, "volumes")):
        if others := sorted(key for key in volume if key not in _VOLUMES | {"name"} and values.is_given(volume, key)):
            yield (
                f"{pod.where}.volumes[{index}]: {others[0]} takes from outside what goes past every check of a claim; "
                "write a persistentVolumeClaim, or an emptyDir for what may go"
            )
    for container in pod.containers:
        for index, port in enumerate(values.each(container.inputs, "ports")):
            if port.get("hostPort"):
                yield (
                    f"{container.where}.ports[{index}].hostPort: other machines reach port {port['hostPort']:g} of the "
                    "node, past every NetworkPolicy; leave it out and let clients use the Service"
                )


def no_api_token(args: ResourceValidationArgs) -> Iterator[str]:
    pod = objects.pod(args.resource_type, args.props)
    if pod.spec.get("automountServiceAccountToken") is not False:
        yield (
            f"{pod.where}.automountServiceAccountToken: the pod gets a token for the cluster's API, which no backend "
            "needs; write automountServiceAccountToken: false"
        )


def namespace_restricted(stack: StackValidationArgs) -> Iterator[tuple[str, str]]:
    levels = {
        objects.name(namespace.props): ((namespace.props["metadata"].get("labels") or {}).get(_ENFORCE), namespace.urn)
        for namespace in objects.of(stack, tokens.NAMESPACE)
    }
    where_backends_are: dict[str, str] = {}
    for resource, pod in objects.backends(stack):
        where_backends_are.setdefault(pod.namespace, resource.urn)
    for name, urn in where_backends_are.items():
        level, found = levels.get(name, (None, urn))
        if level != "restricted":
            says = f"says {level}" if level else "is not set"
            yield (
                found,
                (
                    f"metadata.labels: {_ENFORCE} {says} of the namespace {name}, so pods that harm its node start "
                    f"there beside the backends; write {_ENFORCE}: restricted in a Namespace of the stack"
                ),
            )


def _securities(pod: objects.Pod) -> Iterator[tuple[str, values.Inputs]]:
    yield f"{pod.where}.securityContext", pod.security
    for container in pod.containers:
        yield f"{container.where}.securityContext", container.security


def _own_or_pods(container: objects.Container, pod: objects.Pod, key: str) -> Any:
    """A container's own word counts, the pod's where it has none."""
    own = container.security.get(key)
    return pod.security.get(key) if own is None else own


_URL = "https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"

RULES = (
    ResourceRule(
        name="pod-not-root",
        description="A pod runs as its server's own user.",
        applies_to=objects.PODS,
        check=runs_as_non_root,
        severity=Severity.HIGH,
        remediation_steps="Set runAsNonRoot and the uid of the image's own user in the pod's securityContext.",
        url=_URL,
    ),
    ResourceRule(
        name="pod-unprivileged",
        description="A pod's containers have no capability and can gain no privilege.",
        applies_to=objects.PODS,
        check=unprivileged,
        severity=Severity.HIGH,
        remediation_steps="Set allowPrivilegeEscalation to false and drop ALL in each container's securityContext.",
        url=_URL,
    ),
    ResourceRule(
        name="pod-seccomp",
        description="The kernel lets a pod's containers make ordinary system calls only.",
        applies_to=objects.PODS,
        check=seccomp,
        severity=Severity.MEDIUM,
        remediation_steps="Set seccompProfile to RuntimeDefault in the pod's securityContext.",
        url=_URL,
    ),
    ResourceRule(
        name="pod-read-only",
        description="The root filesystem of a pod's containers is read-only.",
        applies_to=objects.PODS,
        check=root_filesystem_read_only,
        severity=Severity.MEDIUM,
        remediation_steps="Set readOnlyRootFilesystem; give temporary files an emptyDir, and data its claim.",
        url="https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
    ),
    ResourceRule(
        name="pod-apart-from-its-node",
        description="A pod has nothing of its node: no network, processes, folders or ports.",
        applies_to=objects.PODS,
        check=not_of_its_node,
        severity=Severity.CRITICAL,
        remediation_steps="Leave out hostNetwork, hostPID, hostIPC, hostPath and hostPort.",
        url="https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",
    ),
    ResourceRule(
        name="pod-without-api-token",
        description="A pod gets no token for the cluster's API.",
        applies_to=objects.PODS,
        check=no_api_token,
        severity=Severity.HIGH,
        remediation_steps="Set automountServiceAccountToken to false in the pod.",
        url="https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/",
    ),
    StackRule(
        name="namespace-restricted",
        description="The namespace of the backends takes only pods that are restricted.",
        check=namespace_restricted,
        severity=Severity.HIGH,
        remediation_steps=f"Set the label {_ENFORCE} of the Namespace to restricted.",
        url="https://kubernetes.io/docs/concepts/security/pod-security-admission/",
    ),
)
