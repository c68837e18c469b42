"""Volumes: they outlive pods, belong to the pod's group, can be full, and grow where their class allows it."""

import json
from typing import Any

import pytest

from tests.cluster.access import Access
from tests.cluster.cluster import Cluster
from tests.cluster.conformance import manifests as m
from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import Kubectl, eventually

PODS = (
    *("bound", "fixed", "full", "gone", "growing", "kept", "mended", "neighbour", "owned", "retained", "secret"),
    "shrinking",
)


@pytest.fixture(scope="module")
def classes(access: Access) -> dict[str, Any]:
    return {each["metadata"]["name"]: each for each in access.kubectl.get("storageclasses")["items"]}


@pytest.fixture(scope="module")
def growing(classes: dict[str, Any]) -> str:
    """The name of a class whose volumes may grow."""
    found = [name for name, each in classes.items() if each.get("allowVolumeExpansion")]
    if not found:
        pytest.skip("no StorageClass of the cluster at hand allows a volume to grow")
    return "standard" if "standard" in found else found[0]


@pytest.fixture(scope="module")
def fixed(classes: dict[str, Any]) -> str:
    """The name of a class whose volumes may not grow."""
    found = [name for name, each in classes.items() if not each.get("allowVolumeExpansion")]
    if not found:
        pytest.skip("every StorageClass of the cluster at hand allows a volume to grow")
    return found[0]


@pytest.fixture(scope="module", autouse=True)
def pods(access: Access, kubectl: Kubectl, classes: dict[str, Any]) -> None:
    """A pod for each test, with a claim of its own of the same name. All are made at once: each takes seconds."""
    claims = {name: m.claim(name) for name in PODS}
    for name, wanted in {"secret": "encrypted", "fixed": "fixed", "growing": "standard"}.items():
        if wanted in classes:
            claims[name] = m.claim(name, storage_class=wanted)
    refused = [m.claim("shared", mode="ReadWriteMany"), m.claim("tiny", "1Mi")] if access.built else []
    owner = {"securityContext": {"runAsUser": 1000, "runAsGroup": 3000, "fsGroup": 2000}}
    kubectl.apply(
        *claims.values(),
        *refused,
        *(pod(access, name, **(owner if name == "owned" else {})) for name in claims),
        *(pod(access, each["metadata"]["name"]) for each in refused),
    )
    kubectl.ready(*PODS)


def pod(access: Access, name: str, **spec: Any) -> m.Manifest:
    return m.with_volume(m.pod(name, m.container(access.image, "pause"), **spec), name)


def grow(kubectl: Kubectl, name: str, size: str) -> None:
    patch = {"spec": {"resources": {"requests": {"storage": size}}}}
    kubectl("patch", "pvc", name, "-p", json.dumps(patch))


def available(kubectl: Kubectl, pod: str) -> int:
    """Bytes of the volume's file system."""
    return int(kubectl.sh(pod, "df -k /data | tail -1").split()[1]) * 1024


def test_a_volume_outlives_its_pod(access: Access, kubectl: Kubectl) -> None:
    kubectl.sh("kept", "echo precious > /data/file; sync")
    kubectl("delete", "pod", "kept")
    kubectl.apply(pod(access, "kept"))
    kubectl.ready("kept")
    assert kubectl.sh("kept", "cat /data/file") == "precious\n"


def test_a_volume_belongs_to_the_group_of_its_pod(access: Access, kubectl: Kubectl) -> None:
    assert (
        kubectl.sh("owned", "stat -c %g /data; echo mine > /data/file && stat -c '%u %g' /data/file")
        == "2000\n1000 2000\n"
    )


def test_a_volume_grows_under_a_running_pod(kubectl: Kubectl, growing: str) -> None:
    kubectl.sh("growing", "echo precious > /data/file")
    before = available(kubectl, "growing")
    uid = kubectl.get("pod", "growing")["metadata"]["uid"]

    grow(kubectl, "growing", "96Mi")

    def problem() -> str | None:
        status = kubectl.get("pvc", "growing")["status"]
        return None if status["capacity"]["storage"] == "96Mi" else f"{status}\n{kubectl.events()}"

    eventually(problem)
    volume = kubectl.get("pvc", "growing")["spec"]["volumeName"]
    assert kubectl.get("pv", volume)["spec"]["capacity"]["storage"] == "96Mi"
    assert available(kubectl, "growing") >= before + 60 * 2**20
    assert kubectl.sh("growing", "cat /data/file") == "precious\n"
    assert kubectl.get("pod", "growing")["metadata"]["uid"] == uid


def test_a_claim_does_not_shrink(access: Access, kubectl: Kubectl) -> None:
    with pytest.raises(ClusterError, match="can not be less than"):
        grow(kubectl, "shrinking", "16Mi")


def test_a_class_can_forbid_growth(kubectl: Kubectl, fixed: str) -> None:
    with pytest.raises(ClusterError, match="only dynamically provisioned pvc can be resized"):
        grow(kubectl, "fixed", "64Mi")


def test_a_full_volume_says_so_and_its_neighbours_do_not(built: Cluster, access: Access, kubectl: Kubectl) -> None:
    filled = kubectl.sh("full", "dd if=/dev/zero of=/data/file bs=1M count=64 2>&1; true")
    assert "No space left on device" in filled
    kubectl.sh("neighbour", "dd if=/dev/zero of=/data/file bs=1M count=8 2>&1")


def test_a_full_volume_is_mended_by_growing_it(built: Cluster, access: Access, kubectl: Kubectl) -> None:
    kubectl.sh("mended", "dd if=/dev/zero of=/data/file bs=1M count=64 2>/dev/null; true")
    grow(kubectl, "mended", "128Mi")

    def problem() -> str | None:
        kubectl.sh("mended", "dd if=/dev/zero of=/data/more bs=1M count=32 2>&1")
        return None

    eventually(problem)


def test_a_deleted_claim_takes_its_volume_along(built: Cluster, access: Access, kubectl: Kubectl) -> None:
    volume = kubectl.get("pv", kubectl.get("pvc", "gone")["spec"]["volumeName"])
    kubectl("delete", "pod", "gone")
    kubectl("delete", "pvc", "gone")
    name = volume["metadata"]["name"]
    eventually(lambda: f"{name} is there" if name in kubectl("get", "pv", "-o", "name") else None)
    folder = built.home.volumes
    assert not [path for path in folder.rglob("*") if name in path.name]


def test_the_volumes_of_a_retained_class_stay(access: Access, kubectl: Kubectl) -> None:
    """As production's do: the claim goes, the PersistentVolume is `Released`, with the data."""
    name = kubectl.get("pvc", "retained")["spec"]["volumeName"]
    kubectl("patch", "pv", name, "-p", '{"spec": {"persistentVolumeReclaimPolicy": "Retain"}}')
    kubectl("delete", "pod", "retained")
    kubectl("delete", "pvc", "retained")
    eventually(lambda: None if (p := kubectl.get("pv", name)["status"]["phase"]) == "Released" else p)
    kubectl("patch", "pv", name, "-p", '{"spec": {"persistentVolumeReclaimPolicy": "Delete"}}')
    eventually(lambda: f"{name} is there" if name in kubectl("get", "pv", "-o", "name") else None)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("shared", "access mode ReadWriteMany is not provisioned"),
        ("tiny", "a volume of 1Mi is too small: ask for 16Mi or more"),
    ],
)
def test_a_claim_that_gets_no_volume_is_told_why(built: Cluster, kubectl: Kubectl, name: str, reason: str) -> None:
    eventually(lambda: None if reason in (said := kubectl.events(200)) else said)


def test_the_encrypted_class_is_a_setting(built: Cluster, access: Access, kubectl: Kubectl) -> None:
    assert kubectl.get("pvc", "secret")["spec"]["storageClassName"] == "encrypted"


def test_a_pod_follows_its_volume_to_its_node(
    built: Cluster, access: Access, kubectl: Kubectl, nodes: list[str]
) -> None:
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
    kubectl.apply(pod(access, "bound", affinity=others))
    kubectl.ready("bound")
    assert kubectl.get("pod", "bound")["spec"]["nodeName"] == node
