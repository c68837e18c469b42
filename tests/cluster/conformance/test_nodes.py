"""Several nodes: pods spread over them, and a drain goes no further than a budget allows."""

import pytest

from tests.cluster.access import Access
from tests.cluster.conformance import manifests as m
from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import Kubectl, eventually


@pytest.fixture(autouse=True)
def three(nodes: list[str]) -> None:
    if len(nodes) < 3:
        pytest.skip(f"the cluster at hand has {len(nodes)} nodes for pods, and these tests need 3")


def spread(image: str, name: str, replicas: int) -> m.Manifest:
    constraint = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": name}},
    }
    spec = m.pod_spec(m.server(image), topologySpreadConstraints=[constraint])
    return m.workload("StatefulSet", name, replicas, spec, serviceName=name, podManagementPolicy="Parallel")


def nodes_of(kubectl: Kubectl, app: str) -> dict[str, str]:
    """The node of each pod that is ready."""
    found = {}
    for pod in kubectl.get("pods", "-l", f"app={app}")["items"]:
        conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", [])}
        if conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]:
            found[pod["metadata"]["name"]] = pod["spec"]["nodeName"]
    return found


@pytest.fixture(scope="module")
def wide(access: Access, kubectl: Kubectl) -> None:
    """A StatefulSet of three pods that have to be spread, with a name for each."""
    kubectl.apply(m.service("wide", 8080, clusterIP="None"), spread(access.image, "wide", 3))
    eventually(lambda: None if len(nodes_of(kubectl, "wide")) == 3 else kubectl.events(), 60)


def test_pods_spread_over_the_nodes(wide: None, kubectl: Kubectl) -> None:
    assert len(set(nodes_of(kubectl, "wide").values())) == 3


def test_a_pod_that_may_not_share_its_node_waits(access: Access, kubectl: Kubectl, nodes: list[str]) -> None:
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "alone"}}}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    spec = m.pod_spec(m.container(access.image, "pause"), affinity=affinity)
    kubectl.apply(m.workload("Deployment", "alone", len(nodes) + 1, spec))
    eventually(lambda: None if len(nodes_of(kubectl, "alone")) == len(nodes) else f"{nodes_of(kubectl, 'alone')}", 60)
    eventually(lambda: None if "anti-affinity rules" in (said := kubectl.events(50)) else said)
    kubectl("delete", "deployment", "alone")


def test_pods_reach_each_other_across_nodes(wide: None, kubectl: Kubectl) -> None:
    names = [f"wide-{number}" for number in range(3)]
    script = "; ".join(f"timeout 3 wget -qO- http://{name}.wide:8080/hostname && echo" for name in names)
    for source in names:
        eventually(lambda source=source: None if (got := kubectl.sh(source, script).split()) == names else f"{got}")  # type: ignore[misc]


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
        eventually(lambda: None if (n := _may_leave(kubectl, "guarded")) == 2 else f"{n} pods may leave", 60)
        kubectl(*drain, "--timeout=60s", seconds=90)

        def problem() -> str | None:
            placed = nodes_of(kubectl, "guarded")
            return None if len(placed) == 3 and node not in placed.values() else f"{placed}"

        eventually(problem, 60)
    finally:
        kubectl("uncordon", node)


def _may_leave(kubectl: Kubectl, budget: str) -> int:
    return int(kubectl.get("pdb", budget)["status"]["disruptionsAllowed"])


def test_a_cordoned_node_gets_no_pod(access: Access, kubectl: Kubectl, nodes: list[str]) -> None:
    kubectl("cordon", nodes[2])
    try:
        kubectl.apply(m.workload("Deployment", "kept-out", 4, m.pod_spec(m.server(access.image))))
        eventually(lambda: None if len(nodes_of(kubectl, "kept-out")) == 4 else "not ready", 60)
        assert nodes[2] not in nodes_of(kubectl, "kept-out").values()
    finally:
        kubectl("uncordon", nodes[2])
        kubectl("delete", "deployment", "kept-out")
