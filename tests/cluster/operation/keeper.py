"""A pod of a StatefulSet with a file on its volume, to be found again."""

from tests.cluster.access import Access
from tests.cluster.conformance import manifests as m
from tests.cluster.kubectl import Kubectl, eventually


def new_keeper(access: Access, kubectl: Kubectl) -> str:
    """The pod's name."""
    spec = m.pod_spec(m.container(access.image, "pause"))
    keeper = m.workload("StatefulSet", "keeper", 1, spec, serviceName="keeper", volumeClaimTemplates=[m.claim("data")])
    spec["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    kubectl.apply(keeper)
    eventually(lambda: None if "keeper-0" in kubectl("get", "pods", "-o", "name") else "no pod yet")
    kubectl.ready("keeper-0")
    kubectl.sh("keeper-0", "echo precious > /data/file; sync")
    return "keeper-0"


def eventually_kept(kubectl: Kubectl, pod: str) -> None:
    def problem() -> str | None:
        found = kubectl.sh(pod, "cat /data/file")
        return None if found == "precious\n" else f"the file has {found!r}"

    eventually(problem, 60)
