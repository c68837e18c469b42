"""Who may talk to whom, tried by pods in the cluster: allowed paths work, denied ones time out, both ways.

From outside, through a port-forward, nothing of it could be seen: that bypasses network policies.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from tests.cluster.access import Access
from tests.cluster.conformance import manifests as m
from tests.cluster.kubectl import Kubectl, eventually
from tests.cluster.platform.project import ClusterProject

PORTS = {"db-postgres": 5432, "redis": 6379, "redis-praval": 6379, "vector-db": 6333, "object-store": 9000}
PRAVAL = {"app.kubernetes.io/part-of": "praval"}
CONNECT = "/agnhost connect --timeout=2s"


@dataclass(frozen=True)
class Clients:
    """Pods: `claimant` as Praval's are, `unlabelled` beside it, `stranger` with its labels in another namespace."""

    praval: Kubectl
    elsewhere: Kubectl

    def reached(self, pod: str, stack: ClusterProject) -> set[str]:
        where = self.elsewhere if pod == "stranger" else self.praval
        tries = [
            f"( {CONNECT} {name}.{stack.stack}.svc:{port} 2>/dev/null && echo {name} ) &"
            for name, port in PORTS.items()
        ]
        return set(where.sh(pod, "\n".join([*tries, "wait"])).split())


@pytest.fixture(scope="module")
def clients(access: Access, stack: ClusterProject) -> Iterator[Clients]:
    praval = replace(access.kubectl, namespace=f"{stack.stack}-praval")
    pause = m.container(access.image, "pause")
    with access.kubectl.new_namespace() as elsewhere:
        praval.apply(m.pod("claimant", pause, labels=PRAVAL), m.pod("unlabelled", pause))
        elsewhere.apply(m.pod("stranger", pause, labels=PRAVAL))
        praval.ready("claimant", "unlabelled")
        elsewhere.ready("stranger")
        yield Clients(praval, elsewhere)
    praval("delete", "pod", "claimant", "unlabelled", "--wait=false")


@pytest.mark.parametrize(
    ("pod", "wanted"),
    [
        ("claimant", {"db-postgres", "redis-praval", "vector-db", "object-store"}),
        ("unlabelled", set[str]()),
        ("stranger", set[str]()),
    ],
)
def test_a_backend_is_open_to_its_claimants_and_to_nobody_else(
    clients: Clients, stack: ClusterProject, pod: str, wanted: set[str]
) -> None:
    def problem() -> str | None:
        found = clients.reached(pod, stack)
        return None if found == wanted else f"{pod} reaches {sorted(found)}, wanted: {sorted(wanted)}"

    eventually(problem)


def test_a_backend_reaches_nothing_but_names(clients: Clients, stack: ClusterProject) -> None:
    """The claimant serves nothing: a refusal at once would show that the packet arrived."""
    address = clients.praval.get("pod", "claimant")["status"]["podIP"]
    script = (
        "getent hosts db-postgres >/dev/null && echo named;"
        f" timeout 3 bash -c '</dev/tcp/{address}/80' 2>/dev/null; echo $?;"
        f" timeout 3 bash -c '</dev/tcp/redis.{stack.stack}.svc/6379' 2>/dev/null; echo $?"
    )
    assert stack.kubectl.sh("db-postgres-0", script).split() == ["named", "124", "124"], "it was not held back"


def test_the_document_s_policy_lets_the_platform_reach_the_storage_service_and_nobody_else(
    access: Access, stack: ClusterProject
) -> None:
    kubectl = replace(access.kubectl, namespace=f"{stack.stack}-alfred-platform")
    served = m.container(access.image, "porter", env=[{"name": "SERVE_PORT_5000", "value": "open"}])
    pause = m.container(access.image, "pause")
    kubectl.apply(
        m.pod("storage", served, labels={"app": "db-storage"}),
        m.pod("platform", pause, labels={"app": "alfred-platform"}),
        m.pod("other", pause, labels={"app": "other"}),
    )
    try:
        kubectl.ready("storage", "platform", "other")
        address = kubectl.get("pod", "storage")["status"]["podIP"]

        def problem() -> str | None:
            found = [
                name
                for name in ("platform", "other")
                if "yes" in kubectl.sh(name, f"{CONNECT} {address}:5000 2>/dev/null && echo yes; true")
            ]
            return None if found == ["platform"] else f"reached by: {found}"

        eventually(problem)
    finally:
        kubectl("delete", "pod", "storage", "platform", "other", "--wait=false")
