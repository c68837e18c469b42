"""Several nodes: pods spread over them, a drain goes no further than a budget allows, a dead node is noticed."""

import signal

import pytest

from tests.cluster.access import Access
from tests.cluster.cluster import Cluster
from tests.cluster.conformance import manifests as m
from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import Kubectl, eventually


@pytest.fixture(autouse=True)
def three(nodes: list[str]) -> None:
    if len(nodes) < 3:
        pytest.skip(f"the cluster at hand has {len(nodes)} nodes for pods, and these tests need 3")


def spread(image: str, name: str, replicas: int, kind: str = "StatefulSet") -> m.Manifest:
    constraint = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": name}},
    }
    spec = m.pod_spec(m.server(image), topologySpreadConstraints=[constraint])
    more = {"serviceName": name, "podManagementPolicy": "Parallel"} if kind == "StatefulSet" else {}
    return m.workload(kind, name, replicas, spec, **more)


def nodes_of(kubectl: Kubectl, app: str) -> dict[str, str]:
    """The node of each pod that is ready."""
    found = {}
    for pod in kubectl.get("pods", "-l", f"app={app}")["items"]:
        conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", [])}
        if conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]:
            found[pod["metadata"]["name"]] = pod["spec"]["nodeName"]
    return found


def test_pods_spread_over_the_nodes(access: Access, kubectl: Kubectl) -> None:
    kubectl.apply(spread(access.image, "wide", 3))
    kubectl.ready("wide-0", "wide-1", "wide-2")
    assert len(set(nodes_of(kubectl, "wide").values())) == 3


def test_a_pod_that_may_not_share_its_node_waits(access: Access, kubectl: Kubectl, nodes: list[str]) -> None:
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "alone"}}}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    spec = m.pod_spec(m.container(access.image, "pause"), affinity=affinity)
    kubectl.apply(m.workload("Deployment", "alone", len(nodes) + 1, spec))
    eventually(lambda: None if len(nodes_of(kubectl, "alone")) == len(nodes) else f"{nodes_of(kubectl, 'alone')}", 60)
    eventually(lambda: None if "anti-affinity rules" in (said := kubectl.events(50)) else said)
    kubectl("delete", "deployment", "alone")


def test_pods_reach_each_other_across_nodes(access: Access, kubectl: Kubectl, nodes: list[str]) -> None:
    kubectl.apply(spread(access.image, "mesh", 3), m.service("mesh", 8080, clusterIP="None"))
    kubectl.ready("mesh-0", "mesh-1", "mesh-2")
    for source in range(3):
        for target in range(3):
            script = f"timeout 3 wget -qO- http://mesh-{target}.mesh:8080/hostname"
            eventually(
                lambda source=source, target=target, script=script: (  # type: ignore[misc]
                    None if kubectl.sh(f"mesh-{source}", script) == f"mesh-{target}" else "another answer"
                )
            )


def test_draining_a_node_stops_at_the_budget_and_goes_on_when_it_allows(
    access: Access, kubectl: Kubectl, nodes: list[str]
) -> None:
    budget = {"minAvailable": 2, "selector": {"matchLabels": {"app": "guarded"}}}
    kubectl.apply(
        {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "guarded"}, "spec": budget},
        m.workload("Deployment", "guarded", 2, m.pod_spec(m.server(access.image), nodeName=nodes[1])),
    )
    eventually(lambda: None if len(nodes_of(kubectl, "guarded")) == 2 else "not ready", 60)
    node = nodes[1]
    drain = ("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--pod-selector=app=guarded")
    try:
        with pytest.raises(ClusterError, match="Cannot evict pod as it would violate the pod's disruption budget"):
            kubectl(*drain, "--timeout=3s")
        assert len(nodes_of(kubectl, "guarded")) == 2

        # Its pods are tied to the node; untied, new ones go elsewhere, and the old may leave one by one.
        kubectl("patch", "pdb", "guarded", "--type=merge", "-p", '{"spec": {"minAvailable": 1}}')
        free = m.workload("Deployment", "guarded", 3, m.pod_spec(m.server(access.image)))
        kubectl.apply(free)
        eventually(lambda: None if len(nodes_of(kubectl, "guarded")) == 3 else "not ready", 60)
        kubectl(*drain, "--timeout=60s", seconds=90)

        def problem() -> str | None:
            placed = nodes_of(kubectl, "guarded")
            return None if len(placed) == 3 and node not in placed.values() else f"{placed}"

        eventually(problem, 60)
    finally:
        kubectl("uncordon", node)


def test_a_cordoned_node_gets_no_pod(access: Access, kubectl: Kubectl, nodes: list[str]) -> None:
    kubectl("cordon", nodes[2])
    try:
        kubectl.apply(m.workload("Deployment", "kept-out", 4, m.pod_spec(m.server(access.image))))
        eventually(lambda: None if len(nodes_of(kubectl, "kept-out")) == 4 else "not ready", 60)
        assert nodes[2] not in nodes_of(kubectl, "kept-out").values()
    finally:
        kubectl("uncordon", nodes[2])
        kubectl("delete", "deployment", "kept-out")


def test_a_dead_node_is_noticed_and_comes_back(built: Cluster, kubectl: Kubectl) -> None:
    node = built.nodes[-1].name

    def ready() -> str:
        conditions = kubectl.get("node", node)["status"]["conditions"]
        return str(next(each["status"] for each in conditions if each["type"] == "Ready"))

    assert ready() == "True"
    built.processes.stop(f"kubelet-{node}", signal.SIGKILL)
    try:
        eventually(lambda: None if (now := ready()) == "Unknown" else f"Ready is {now}", 60)
    finally:
        built.up()
    eventually(lambda: None if (now := ready()) == "True" else f"Ready is {now}", 60)
