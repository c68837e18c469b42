"""The cluster that this package makes: it comes back with its data, and leaves the machine as it found it.

These tests take the cluster down, and come last.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.cluster import host, network
from tests.cluster.access import Access
from tests.cluster.cluster import Cluster
from tests.cluster.conformance import manifests as m
from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import Kubectl, background, eventually
from tests.cluster.processes import mounts_below, run


def machine() -> dict[str, str]:
    """What the cluster must not touch."""
    found = {
        "rules": run(["nft", "list", "ruleset"]),
        "iptables": run(["sh", "-c", "iptables-save | grep -v '^#' | sed 's/\\[.*\\]//'"]),
        "namespaces": run(["ip", "netns", "list"]),
        "forwarding": Path("/proc/sys/net/ipv4/ip_forward").read_text(),
    }
    if Path("/var/run/docker.sock").exists():
        found["docker"] = run(["docker", "network", "ls", "--quiet"])
    return found


def left_behind(cluster: Cluster) -> dict[str, Any]:
    """What should be gone when the cluster is down; empty where it is."""
    home = cluster.home
    cgroups = [str(path) for path in Path("/sys/fs/cgroup").glob("*/strata-cluster")]
    links = [line for line in run(["ip", "-brief", "link"]).splitlines() if line.startswith(network.INTERFACE)]
    found = {
        "processes": [each.info for each in psutil.process_iter(["pid", "cmdline"]) if _names(each.info, home.run)],
        "mounts": [str(path) for path in mounts_below(home.run)],
        "loops": [line for line in run(["losetup", "--list", "--noheadings"]).splitlines() if str(home.run) in line],
        "cgroups": cgroups + [str(path) for path in Path("/sys/fs/cgroup").glob("strata-cluster")],
        "links": links,
        "cni": [str(path) for path in Path("/var/lib/cni").rglob("strata-*")],
        "logs": [str(path) for path in Path("/var/log/containers").glob("*") if str(home.run) in str(path.readlink())],
    }
    return {key: value for key, value in found.items() if value}


def _names(process: dict[str, Any], folder: Path) -> bool:
    return any(str(folder) in word for word in process["cmdline"] or [])


def tunables() -> dict[str, str]:
    return {name: (Path("/proc/sys") / name).read_text().strip() for name in host.TUNABLES}


@pytest.fixture(scope="module")
def keeper(access: Access, kubectl: Kubectl) -> str:
    """A pod of a StatefulSet with a file on its volume."""
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


def test_the_machine_is_left_as_it_was_and_the_data_stay(built: Cluster, kubectl: Kubectl, keeper: str) -> None:
    running = machine()
    recorded = json.loads((built.home.run / "tunables.json").read_text())

    built.down()

    assert left_behind(built) == {}
    assert machine() == running
    assert tunables() == recorded
    built.up()
    eventually_kept(kubectl, keeper)


def test_up_again_changes_nothing(built: Cluster) -> None:
    before = built.status()["processes"]
    built.up()
    assert built.status()["processes"] == before


def test_a_program_that_died_is_brought_back(built: Cluster, kubectl: Kubectl, keeper: str) -> None:
    pid = built.processes.pid("etcd")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: "etcd runs" if built.processes.pid("etcd") else None)
    assert not built.status()["up"]
    built.up()
    assert built.status()["up"]
    eventually_kept(kubectl, keeper)


def command(*arguments: str) -> subprocess.Popen[str]:
    return background([sys.executable, "-m", "tests.cluster", *arguments])


@pytest.mark.parametrize("last_started", ["kube-apiserver", "containerd-strata-2"])
def test_a_start_that_was_killed_is_continued(built: Cluster, kubectl: Kubectl, keeper: str, last_started: str) -> None:
    built.down()
    with command("up") as starting:
        eventually(lambda: None if built.processes.pid(last_started) else f"{last_started} does not run")
        starting.kill()
    assert not built.is_up()
    built.up()
    eventually_kept(kubectl, keeper)


def test_two_commands_at_once_wait_for_each_other(built: Cluster) -> None:
    built.down()
    with command("up") as first, command("up") as second:
        said = [process.communicate(timeout=120)[0] for process in (first, second)]
    assert [process.returncode for process in (first, second)] == [0, 0], said
    assert sum("starting 3 nodes" in each for each in said) == 1
    assert built.is_up()


def test_status_says_whether_it_is_up(built: Cluster) -> None:
    with command("status", "--json") as asked:
        assert json.loads(asked.communicate(timeout=60)[0])["ready"] == [node.name for node in built.nodes]
    assert asked.returncode == 0
    built.enforce(False)
    try:
        with command("status") as asked:
            assert "up: False" in asked.communicate(timeout=60)[0]
        assert asked.returncode == 1
    finally:
        built.up()
    assert built.is_up()


def test_another_number_of_nodes_is_refused(built: Cluster) -> None:
    with pytest.raises(ClusterError, match=r"the cluster has 3 nodes: to have 2, remove it first \(`wipe`\)"):
        built.up(2)


def test_an_image_of_docker_is_loaded_on_every_node(built: Cluster, kubectl: Kubectl, nodes: list[str]) -> None:
    images = subprocess.run(
        ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}", "localhost/strata-redis"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    if not images:
        pytest.skip("Docker does not answer, or has no image of Redis (`make images`)")
    built.load(images[:1])
    for number, node in enumerate(nodes):
        container = m.container(images[0], command=["redis-server", "--version"])
        kubectl.apply(m.pod(f"loaded-{number}", container, nodeName=node, restartPolicy="Never"))
    for number in range(len(nodes)):
        kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", f"pod/loaded-{number}", "--timeout=60s")
        assert kubectl("logs", f"loaded-{number}").startswith("Redis server v=")


def test_an_image_that_docker_does_not_have_is_named(built: Cluster) -> None:
    with pytest.raises(ClusterError, match="Docker has no image 'localhost/no-such:1'"):
        built.load(["localhost/no-such:1"])
