"""What the API refuses or says: pod security, quotas, defaults, and images that can't be pulled."""

import pytest

from tests.cluster.access import Access
from tests.cluster.conformance import manifests as m
from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import Kubectl, eventually

RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def test_a_restricted_namespace_refuses_a_pod_that_may_be_root(access: Access) -> None:
    with access.kubectl.new_namespace(**{"pod-security.kubernetes.io/enforce": "restricted"}) as kubectl:
        with pytest.raises(ClusterError, match='violates PodSecurity "restricted'):
            kubectl.apply(m.pod("root", m.container(access.image, "pause")))
        kubectl.apply(m.pod("user", m.container(access.image, "pause", securityContext=RESTRICTED)))
        kubectl.ready("user")
        assert kubectl.sh("user", "id -u") == "1000\n"


def test_a_read_only_root_is_read_only(access: Access, kubectl: Kubectl) -> None:
    kubectl.apply(m.pod("sealed", m.container(access.image, "pause", securityContext={"readOnlyRootFilesystem": True})))
    kubectl.ready("sealed")
    with pytest.raises(ClusterError, match="Read-only file system"):
        kubectl.sh("sealed", "touch /file")


def test_a_quota_is_enforced(access: Access) -> None:
    with access.kubectl.new_namespace() as kubectl:
        hard = {"pods": "1", "requests.storage": "64Mi"}
        quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}, "spec": {"hard": hard}}
        kubectl.apply(quota)
        eventually(lambda: None if "hard" in kubectl.get("resourcequota", "small")["status"] else "not yet counted")
        kubectl.apply(m.claim("first", "48Mi"), m.pod("first", m.container(access.image, "pause")))
        for refused in (m.claim("second", "32Mi"), m.pod("second", m.container(access.image, "pause"))):
            with pytest.raises(ClusterError, match="exceeded quota: small"):
                kubectl.apply(refused)


def test_a_memory_limit_kills_what_exceeds_it(access: Access, kubectl: Kubectl) -> None:
    limits = {"limits": {"memory": "24Mi"}}
    greedy = m.container(
        access.image, command=["sh", "-c", "dd if=/dev/zero of=/dev/null bs=64M count=2"], resources=limits
    )
    kubectl.apply(m.pod("greedy", greedy, restartPolicy="Never"))

    def problem() -> str | None:
        status = kubectl.get("pod", "greedy")["status"]
        state = (status.get("containerStatuses") or [{}])[0].get("state", {}).get("terminated", {})
        return None if state.get("reason") == "OOMKilled" else f"{status['phase']} {state}"

    eventually(problem)


def test_an_image_that_can_not_be_pulled_is_told_in_seconds(access: Access, kubectl: Kubectl) -> None:
    kubectl.apply(m.pod("absent", m.container("localhost/strata-no-such-image:1")))

    def problem() -> str | None:
        status = kubectl.get("pod", "absent")["status"]
        waiting = (status.get("containerStatuses") or [{}])[0].get("state", {}).get("waiting", {})
        pulled = waiting.get("reason") in ("ErrImagePull", "ImagePullBackOff")
        return None if pulled and "Failed to pull image" in kubectl.events() else f"{waiting}\n{kubectl.events()}"

    eventually(problem, 15)


def test_a_pod_that_fits_nowhere_is_told_so(access: Access, kubectl: Kubectl) -> None:
    huge = m.container(access.image, "pause", resources={"requests": {"cpu": "10000"}})
    kubectl.apply(m.pod("huge", huge))
    eventually(lambda: None if "Insufficient cpu" in (said := kubectl.events(50)) else said)
