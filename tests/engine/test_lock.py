"""Two runs never hold a stack at once; a run that died blocks nobody; a lock says whose it is."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from engine.lock import LockedError, StackLock

ROOT = str(Path(__file__).parents[2])
# Prints "held" or the refusal, after a starting signal on stdin; then holds until stdin ends. Writing is made slow, so
# that processes that start together do meet between the check and the second check.
LOCKER = """
import sys, time
sys.path.insert(0, {root!r})
from pathlib import Path
from engine.lock import LockedError, StackLock

write = StackLock._write
StackLock._write = lambda lock: (write(lock), time.sleep(0.2))
print("ready", flush=True)
sys.stdin.readline()
try:
    with StackLock(Path(sys.argv[1]), lambda text: print("told:", text, flush=True)):
        print("held", flush=True)
        sys.stdin.readline()
except LockedError as error:
    print("refused:", error, flush=True)
"""

Start = Callable[[], "subprocess.Popen[str]"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".pulumi/locks/organization/shop/dev"


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    with ExitStack() as running:

        def run() -> "subprocess.Popen[str]":
            process = subprocess.Popen(
                [sys.executable, "-c", LOCKER.format(root=ROOT), str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            running.enter_context(process)
            running.callback(process.kill)
            assert read(process) == "ready"
            return process

        yield run


def read(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def lock_of(folder: Path, **content: Any) -> Path:
    """As the CLI writes it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "11111111-2222-3333-4444-555555555555.json"
    whole = {
        "pid": os.getpid(),
        "username": "ann",
        "hostname": socket.gethostname(),
        "timestamp": "2026-01-02T03:04:05Z",
    }
    file.write_text(json.dumps(whole | content))
    return file


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_lock_is_what_the_cli_reads(folder: Path) -> None:
    with StackLock(folder, pytest.fail):
        (file,) = folder.iterdir()
        content = json.loads(file.read_bytes())
        assert re.fullmatch(r"[0-9a-f-]{36}\.json", file.name)
        assert (content["pid"], content["hostname"]) == (os.getpid(), socket.gethostname())
        assert set(content) >= {"pid", "username", "hostname", "timestamp"}
        # Go's time.Time accepts RFC 3339 only
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+00:00", content["timestamp"])
        assert [path.name for path in folder.parent.iterdir()] == ["dev"], "nothing else stays behind"
    assert list(folder.iterdir()) == []


def test_of_many_that_start_at_once_exactly_one_holds_and_the_others_name_it(start: Start) -> None:
    for _ in range(2):
        processes = [start() for _ in range(6)]
        for process in processes:
            go(process)
        answers = {process.pid: read(process) for process in processes}
        holders = [pid for pid, answer in answers.items() if answer == "held"]
        assert len(holders) == 1, answers
        refusals = [answer for answer in answers.values() if answer != "held"]
        assert all(f"(pid {holders[0]})" in answer for answer in refusals), refusals
        for process in processes:
            if process.pid == holders[0]:
                go(process)
            process.wait(10)


def test_a_killed_holder_is_taken_over_and_that_is_said(start: Start, folder: Path) -> None:
    holder = start()
    go(holder)
    assert read(holder) == "held"
    with pytest.raises(LockedError, match=rf"locked by \w+@{socket.gethostname()} \(pid {holder.pid}\) since \d{{4}}-"):
        StackLock(folder, pytest.fail).__enter__()
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    told: list[str] = []
    with StackLock(folder, told.append):
        assert len(list(folder.iterdir())) == 1
    assert len(told) == 1
    assert f"(pid {holder.pid})" in told[0]


def test_a_zombie_holds_nothing(start: Start, folder: Path) -> None:
    holder = start()
    go(holder)
    assert read(holder) == "held"
    os.kill(holder.pid, signal.SIGKILL)
    os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # dead, and its pid still taken
    told: list[str] = []
    with StackLock(folder, told.append):
        assert told


def test_a_pid_that_was_used_again_does_not_keep_a_lock(folder: Path) -> None:
    lock_of(folder, engine="embedded", pid=os.getpid())  # this process lives, and does not hold that lock
    told: list[str] = []
    with StackLock(folder, told.append):
        assert told


def test_a_dead_lock_of_the_cli_is_taken_over_with_its_sidecar(folder: Path) -> None:
    file = lock_of(folder, pid=dead_pid())
    file.with_name(file.name + ".attrs").write_text("{}")
    told: list[str] = []
    with StackLock(folder, told.append):
        assert len(list(folder.iterdir())) == 1
    assert "ann@" in told[0]


def test_a_living_lock_of_the_cli_is_respected(folder: Path) -> None:
    file = lock_of(folder)
    with pytest.raises(LockedError, match=rf"ann@.* \(pid {os.getpid()}\) since 2026-01-02T03:04:05Z.*rm '{file}'"):
        StackLock(folder, pytest.fail).__enter__()
    assert list(folder.iterdir()) == [file]


def test_a_lock_of_another_host_is_never_judged(folder: Path) -> None:
    for engine in ("", "embedded"):
        file = lock_of(folder, hostname="elsewhere", pid=dead_pid(), engine=engine)
        with pytest.raises(LockedError, match=r"ann@elsewhere \(pid \d+\) since 2026-01-02T03:04:05Z"):
            StackLock(folder, pytest.fail).__enter__()
        assert file.exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"pid": "x"}', "null"])
def test_a_lock_that_does_not_say_whose_it_is_is_respected(content: str, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "strange.json").write_text(content)
    with pytest.raises(LockedError, match=r"strange\.json, which does not say by whom"):
        StackLock(folder, pytest.fail).__enter__()


def test_a_lock_ends_with_an_error_too(folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt), StackLock(folder, pytest.fail):
        raise KeyboardInterrupt
    assert list(folder.iterdir()) == []


def test_a_lock_is_not_inherited_by_children(folder: Path) -> None:
    """A language host that outlives the engine must not keep the stack locked."""
    script = LOCKER.replace(
        'print("held"', 'import subprocess; subprocess.Popen(["sleep", "60"], close_fds=False); print("held"'
    )
    holder = subprocess.Popen(
        ["setsid", sys.executable, "-c", script.format(root=ROOT), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        with holder:
            assert read(holder) == "ready"
            go(holder)
            assert read(holder) == "held"
            holder.kill()
        told: list[str] = []
        with StackLock(folder, told.append):
            assert told
    finally:
        os.killpg(holder.pid, signal.SIGKILL)


def test_a_lock_that_the_cli_writes_meanwhile_makes_us_withdraw(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = StackLock._write

    def write_and_meet_the_cli(lock: StackLock) -> None:
        write(lock)
        lock_of(folder)

    monkeypatch.setattr(StackLock, "_write", write_and_meet_the_cli)
    with pytest.raises(LockedError, match="ann@"):
        StackLock(folder, pytest.fail).__enter__()
    assert [path.name for path in folder.iterdir()] == ["11111111-2222-3333-4444-555555555555.json"]


def test_a_refusal_is_quick(folder: Path) -> None:
    with StackLock(folder, pytest.fail):
        start = time.monotonic()
        with pytest.raises(LockedError):
            StackLock(folder, pytest.fail).__enter__()
        assert time.monotonic() - start < 1
