"""NetworkPolicies: nothing may talk to a backend, or a backend to anything, that is not written here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_kubernetes as kubernetes

from components.claims import NetworkPolicyClaim
from components.kubernetes.context import KubernetesContext
from components.workloads.workload import Workload

NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"  # a label that the API server gives every namespace
DNS: Final = {
    "namespaceSelector": {"matchLabels": {NAMESPACE_NAME: "kube-system"}},
    "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
}


@dataclass(frozen=True, kw_only=True)
class Peer:
    """Pods with these labels in that namespace."""

    namespace: str
    labels: Mapping[str, str]

    @property
    def selector(self) -> dict[str, Any]:
        return {
            "namespaceSelector": {"matchLabels": {NAMESPACE_NAME: self.namespace}},
            "podSelector": {"matchLabels": dict(self.labels)},
        }


def default_deny(context: KubernetesContext, logical: str, opts: pulumi.ResourceOptions) -> pulumi.Resource:
    """Every pod of the namespace of the backends, both ways; whatever is made there later, too."""
    spec = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    return _policy(context, logical, "default-deny", spec, opts)


def dns(context: KubernetesContext, logical: str, opts: pulumi.ResourceOptions) -> pulumi.Resource:
    ports = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    spec = {
        "podSelector": {},
        "policyTypes": ["Egress"],
        "egress": [{"to": [DNS], "ports": ports}],
    }
    return _policy(context, logical, "allow-dns", spec, opts)


def to_backend(
    context: KubernetesContext,
    work: Workload,
    claimants: Sequence[Peer],
    metrics: Peer | None,
    opts: pulumi.ResourceOptions,
) -> pulumi.Resource:
    """Lets in the applications that have a slice of this backend, and who reads its metrics; else it is closed."""
    ports = [work.port, *([work.grpc_port] if work.grpc_port else [])]
    rules = []
    if claimants:
        rules.append({"from": [peer.selector for peer in claimants], "ports": [_tcp(port) for port in ports]})
    if metrics is not None:
        rules.append({"from": [metrics.selector], "ports": [_tcp(work.port)]})
    spec = {
        "podSelector": {"matchLabels": context.selector(work.name)},
        "policyTypes": ["Ingress"],
        "ingress": rules,
    }
    return _policy(context, f"{work.name}-policy", work.name, spec, opts)


def between_pods(
    context: KubernetesContext,
    logical: str,
    name: str,
    claim: NetworkPolicyClaim,
    namespace: str,
    opts: pulumi.ResourceOptions,
) -> pulumi.Resource:
    """Between pods of one application, in its own namespace."""
    made: pulumi.Resource = kubernetes.networking.v1.NetworkPolicy(
        logical,
        metadata={"name": name, "namespace": namespace, "labels": context.labels(name, "network")},
        spec={
            "podSelector": {"matchLabels": dict(claim.pods)},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"podSelector": {"matchLabels": dict(claim.callers)}}], "ports": [_tcp(claim.port)]}],
        },
        opts=opts,
    )
    return made


def _tcp(port: int) -> dict[str, Any]:
    return {"protocol": "TCP", "port": port}


def _policy(
    context: KubernetesContext, logical: str, name: str, spec: Mapping[str, Any], opts: pulumi.ResourceOptions
) -> pulumi.Resource:
    made: pulumi.Resource = kubernetes.networking.v1.NetworkPolicy(
        logical, metadata=context.metadata(name, "network"), spec=dict(spec), opts=opts
    )
    return made
