"""Volumes: they outlive pods, belong to the pod's group, can be full, and grow where their class allows it."""

from typing import Any

import pytest

from tests.cluster.access import Access
from tests.cluster.cluster import Cluster
from tests.cluster.conformance import manifests as m
from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import Kubectl, eventually


@pytest.fixture(scope="module")
def classes(access: Access) -> dict[str, Any]:
    return {each["metadata"]["name"]: each for each in access.kubectl.get("storageclasses")["items"]}


def pod_with_claim(kubectl: Kubectl, image: str, name: str, claim: m.Manifest, **spec: Any) -> None:
    kubectl.apply(claim, m.with_volume(m.pod(name, m.container(image, "pause"), **spec), name))
    kubectl.ready(name)


def available(kubectl: Kubectl, pod: str) -> int:
    """Bytes of the volume's file system."""
    return int(kubectl.sh(pod, "df -k /data | tail -1").split()[1]) * 1024


def test_a_volume_outlives_its_pod(access: Access, kubectl: Kubectl) -> None:
    pod_with_claim(kubectl, access.image, "kept", m.claim("kept"))
    kubectl.sh("kept", "echo precious > /data/file; sync")
    kubectl("delete", "pod", "kept")
    kubectl.apply(m.with_volume(m.pod("kept", m.container(access.image, "pause")), "kept"))
    kubectl.ready("kept")
    assert kubectl.sh("kept", "cat /data/file") == "precious\n"


def test_a_volume_belongs_to_the_group_of_its_pod(access: Access, kubectl: Kubectl) -> None:
    context = {"runAsUser": 1000, "runAsGroup": 3000, "fsGroup": 2000}
    pod_with_claim(kubectl, access.image, "owned", m.claim("owned"), securityContext=context)
    assert (
        kubectl.sh("owned", "stat -c %g /data; echo mine > /data/file && stat -c '%u %g' /data/file")
        == "2000\n1000 2000\n"
    )


def test_a_volume_grows_under_a_running_pod(access: Access, kubectl: Kubectl, classes: dict[str, Any]) -> None:
    growing = [name for name, each in classes.items() if each.get("allowVolumeExpansion")]
    if not growing:
        pytest.skip("no StorageClass of the cluster at hand allows a volume to grow")
    name = "standard" if "standard" in growing else growing[0]
    pod_with_claim(kubectl, access.image, "growing", m.claim("growing", "32Mi", name))
    kubectl.sh("growing", "echo precious > /data/file")
    before = available(kubectl, "growing")
    pod = kubectl.get("pod", "growing")["metadata"]["uid"]

    kubectl("patch", "pvc", "growing", "-p", '{"spec": {"resources": {"requests": {"storage": "96Mi"}}}}')

    def problem() -> str | None:
        status = kubectl.get("pvc", "growing")["status"]
        return None if status["capacity"]["storage"] == "96Mi" else f"{status}\n{kubectl.events()}"

    eventually(problem)
    volume = kubectl.get("pvc", "growing")["spec"]["volumeName"]
    assert kubectl.get("pv", volume)["spec"]["capacity"]["storage"] == "96Mi"
    assert available(kubectl, "growing") >= before + 60 * 2**20
    assert kubectl.sh("growing", "cat /data/file") == "precious\n"
    assert kubectl.get("pod", "growing")["metadata"]["uid"] == pod


def test_a_claim_does_not_shrink(access: Access, kubectl: Kubectl) -> None:
    pod_with_claim(kubectl, access.image, "shrinking", m.claim("shrinking", "32Mi"))
    with pytest.raises(ClusterError, match="can not be less than"):
        kubectl("patch", "pvc", "shrinking", "-p", '{"spec": {"resources": {"requests": {"storage": "16Mi"}}}}')


def test_a_class_can_forbid_growth(access: Access, kubectl: Kubectl, classes: dict[str, Any]) -> None:
    fixed = [name for name, each in classes.items() if not each.get("allowVolumeExpansion")]
    if not fixed:
        pytest.skip("every StorageClass of the cluster at hand allows a volume to grow")
    pod_with_claim(kubectl, access.image, "fixed", m.claim("fixed", "32Mi", fixed[0]))
    with pytest.raises(ClusterError, match="only dynamically provisioned pvc can be resized"):
        kubectl("patch", "pvc", "fixed", "-p", '{"spec": {"resources": {"requests": {"storage": "64Mi"}}}}')


def test_a_full_volume_says_so_and_its_neighbours_do_not(built: Cluster, access: Access, kubectl: Kubectl) -> None:
    for name in ("full", "neighbour"):
        pod_with_claim(kubectl, access.image, name, m.claim(name))
    filled = kubectl.sh("full", "dd if=/dev/zero of=/data/file bs=1M count=64 2>&1; true")
    assert "No space left on device" in filled
    kubectl.sh("neighbour", "dd if=/dev/zero of=/data/file bs=1M count=8 2>&1")


def test_a_full_volume_is_mended_by_growing_it(built: Cluster, access: Access, kubectl: Kubectl) -> None:
    pod_with_claim(kubectl, access.image, "mended", m.claim("mended"))
    kubectl.sh("mended", "dd if=/dev/zero of=/data/file bs=1M count=64 2>/dev/null; true")
    kubectl("patch", "pvc", "mended", "-p", '{"spec": {"resources": {"requests": {"storage": "128Mi"}}}}')

    def problem() -> str | None:
        kubectl.sh("mended", "dd if=/dev/zero of=/data/more bs=1M count=32 2>&1")
        return None

    eventually(problem)


def test_a_deleted_claim_takes_its_volume_along(built: Cluster, access: Access, kubectl: Kubectl) -> None:
    pod_with_claim(kubectl, access.image, "gone", m.claim("gone"))
    volume = kubectl.get("pv", kubectl.get("pvc", "gone")["spec"]["volumeName"])
    kubectl("delete", "pod", "gone")
    kubectl("delete", "pvc", "gone")
    name = volume["metadata"]["name"]
    eventually(lambda: f"{name} is there" if name in kubectl("get", "pv", "-o", "name") else None)
    folder = built.home.volumes
    assert not [path for path in folder.rglob("*") if name in path.name]


def test_the_volumes_of_a_retained_class_stay(access: Access, kubectl: Kubectl) -> None:
    """As production's do: the claim goes, the PersistentVolume is `Released`, with the data."""
    pod_with_claim(kubectl, access.image, "retained", m.claim("retained"))
    name = kubectl.get("pvc", "retained")["spec"]["volumeName"]
    kubectl("patch", "pv", name, "-p", '{"spec": {"persistentVolumeReclaimPolicy": "Retain"}}')
    kubectl("delete", "pod", "retained")
    kubectl("delete", "pvc", "retained")
    eventually(lambda: None if (p := kubectl.get("pv", name)["status"]["phase"]) == "Released" else p)
    kubectl("patch", "pv", name, "-p", '{"spec": {"persistentVolumeReclaimPolicy": "Delete"}}')
    eventually(lambda: f"{name} is there" if name in kubectl("get", "pv", "-o", "name") else None)


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        (m.claim("shared", mode="ReadWriteMany"), "access mode ReadWriteMany is not provisioned"),
        (m.claim("tiny", "1Mi"), "a volume of 1Mi is too small: ask for 16Mi or more"),
    ],
)
def test_a_claim_that_gets_no_volume_is_told_why(
    built: Cluster, access: Access, kubectl: Kubectl, claim: m.Manifest, reason: str
) -> None:
    name = claim["metadata"]["name"]
    kubectl.apply(claim, m.with_volume(m.pod(name, m.container(access.image, "pause")), name))
    eventually(lambda: None if reason in (said := kubectl.events(50)) else said)
    kubectl("delete", "pod,pvc", name)


def test_the_encrypted_class_is_a_setting(built: Cluster, access: Access, kubectl: Kubectl) -> None:
    pod_with_claim(kubectl, access.image, "secret", m.claim("secret", "32Mi", "encrypted"))
    assert kubectl.get("pvc", "secret")["spec"]["storageClassName"] == "encrypted"


def test_a_pod_follows_its_volume_to_its_node(
    built: Cluster, access: Access, kubectl: Kubectl, nodes: list[str]
) -> None:
    pod_with_claim(kubectl, access.image, "bound", m.claim("bound"))
    node = kubectl.get("pod", "bound")["spec"]["nodeName"]
    kubectl("delete", "pod", "bound")
    others = {
        "nodeAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {
                    "weight": 100,
                    "preference": {
                        "matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "NotIn", "values": [node]}]
                    },
                }
            ]
        }
    }
    kubectl.apply(m.with_volume(m.pod("bound", m.container(access.image, "pause"), affinity=others), "bound"))
    kubectl.ready("bound")
    assert kubectl.get("pod", "bound")["spec"]["nodeName"] == node
