"""Its commands can be killed, repeated and given twice at once, and it leaves the machine as it was."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.cluster.access import Access
from tests.cluster.cluster import Cluster
from tests.cluster.conformance import manifests as m
from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import Kubectl, background, eventually
from tests.cluster.operation.keeper import eventually_kept, new_keeper
from tests.cluster.operation.machine import left_behind, machine, tunables


@pytest.fixture(scope="module")
def keeper(access: Access, built: Cluster, kubectl: Kubectl) -> str:
    """The name of a pod with a file on its volume."""
    return new_keeper(access, kubectl)


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
    built.down()
    assert left_behind(built) == {}
    with command("up") as starting:
        eventually(lambda: None if built.processes.pid(last_started) else f"{last_started} does not run")
        starting.kill()
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
