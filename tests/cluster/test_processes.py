"""Programs in the background: found again, ended, and never mistaken for somebody else's."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import eventually
from tests.cluster.processes import Processes, identity, run


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    processes = Processes(tmp_path / "processes", tmp_path / "logs")
    yield processes
    for name in processes.names():
        processes.stop(name, signal.SIGKILL)


def test_a_program_is_found_again_and_ended(processes: Processes) -> None:
    processes.start("sleeper", ["sleep", "1000"])
    pid = processes.pid("sleeper")
    assert pid is not None
    assert Processes(processes.folder, processes.logs).pid("sleeper") == pid

    processes.start("sleeper", ["sleep", "1000"])
    assert processes.pid("sleeper") == pid

    processes.stop("sleeper")
    assert identity(pid) is None
    assert processes.names() == []


def test_a_program_that_ended_by_itself_is_known_as_ended(processes: Processes) -> None:
    processes.start("brief", ["sh", "-c", "echo what went wrong >&2"])
    eventually(lambda: "it runs" if processes.pid("brief") else None)
    assert processes.names() == ["brief"]
    assert "what went wrong" in processes.log_end("brief")


def test_a_program_that_does_not_listen_is_ended_by_force(processes: Processes) -> None:
    processes.start("deaf", ["sh", "-c", 'trap "" TERM; echo ready; while true; do sleep 0.1; done'])
    eventually(lambda: None if "ready" in processes.log_end("deaf") else "not yet")
    processes.stop("deaf", seconds=0.3)
    assert processes.pid("deaf") is None


def test_another_process_with_the_recorded_number_is_left_alone(processes: Processes) -> None:
    """As after a reboot, when numbers are given anew."""
    with subprocess.Popen(["sleep", "1000"]) as other:
        processes.folder.mkdir()
        (processes.folder / "etcd").write_text(f"{other.pid} 1@another-boot\n")
        assert processes.pid("etcd") is None
        processes.stop("etcd")
        assert other.poll() is None
        other.kill()


def test_a_command_that_fails_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"`ls .*nowhere` failed \(exit status 2\): .*No such file"):
        run(["ls", tmp_path / "nowhere"])
