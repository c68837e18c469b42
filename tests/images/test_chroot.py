"""Stages run in namespaces of their own: nothing they mount or start outlives them, or the process that runs them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import docker
import pytest

import images
from images import ImageError, chroot

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(os.geteuid() != 0, reason="chroot needs root"),
]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small Debian as a tar: the content of the Redis image."""
    images.build(["redis"], print)
    tar = tmp_path_factory.mktemp("exported") / "root.tar"
    client = docker.from_env()
    container = client.containers.create(images.local_name("redis", "8"), command="true")
    try:
        with tar.open("wb") as file:
            file.writelines(client.api.export(str(container.id)))
    finally:
        container.remove(v=True)
        client.close()
    return tar


@pytest.fixture
def root(exported: Path, tmp_path: Path) -> Path:
    chroot.unpack(exported, tmp_path / "root", tmp_path / "log", print)
    return tmp_path / "root"


def stage(folder: Path, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "run.sh").write_text(script)
    return folder


def run(root: Path, folder: Path, log: Path) -> None:
    chroot.run_stage(root, folder, (), "trixie", chroot.Mirrors(main="http://mirror.invalid/debian"), log, print)


def poll(condition: Callable[[], bool], complaint: str) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.05)


def mounts_and_processes(marker: str) -> list[str]:
    mounts = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if marker in line]
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    return mounts + [command.decode() for command in commands if b"sleep\0987654" in command]


def test_a_stage_sees_its_files_and_its_mirror_and_leaves_no_trace(root: Path, tmp_path: Path) -> None:
    folder = stage(
        tmp_path / "stage", ". /run/strata-build/mirrors; echo $SUITE $DEBIAN_MIRROR > /tmp/seen; ls /proc/1"
    )
    run(root, folder, tmp_path / "log")
    assert (root / "tmp/seen").read_text() == "trixie http://mirror.invalid/debian\n"
    assert not (root / "run/strata-build").exists(), "the image would carry the build's files"
    assert not mounts_and_processes(str(root))


def test_a_daemon_that_a_stage_starts_ends_with_it(root: Path, tmp_path: Path) -> None:
    run(root, stage(tmp_path / "stage", "setsid sleep 987654 > /dev/null 2>&1 < /dev/null &"), tmp_path / "log")
    assert not mounts_and_processes(str(root))


def test_a_failed_stage_shows_the_end_of_its_output(root: Path, tmp_path: Path) -> None:
    folder = stage(tmp_path / "stage", "echo E: Unable to locate package; exit 100")
    with pytest.raises(ImageError, match=r"the stage stage failed \(exit status 100\)(.|\n)*Unable to locate package"):
        run(root, folder, tmp_path / "log")


# A shell without job control starts its background jobs with SIGINT ignored, and their children inherit that.
RUNNER = """
import signal
import sys
from pathlib import Path
from images import chroot
signal.signal(signal.SIGINT, signal.default_int_handler)
root, folder, log = map(Path, sys.argv[1:])
chroot.run_stage(root, folder, (), "trixie", chroot.Mirrors(), log, print)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_build_leaves_no_mount_and_no_process(root: Path, tmp_path: Path, how: signal.Signals) -> None:
    folder = stage(tmp_path / "stage", "echo started > /tmp/started; sleep 987654")
    arguments = [sys.executable, "-c", RUNNER, str(root), str(folder), str(tmp_path / "log")]
    with subprocess.Popen(arguments, stderr=subprocess.DEVNULL) as build:
        poll(lambda: (root / "tmp/started").exists(), "the stage did not start")
        build.send_signal(how)
    poll(lambda: not mounts_and_processes(str(root)), "the killed build goes on")
