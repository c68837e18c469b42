"""The stack file is old or new, never half, whatever happens while it is saved."""

import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.backend import StackFiles
from engine.checkpoint import decode
from engine.errors import EngineError
from engine.secrets import Vault
from engine.state import PendingOperation, ResourceState, Snapshot
from engine.values import Secret
from tests.engine.saves import ROOT, SALT, saved_generation, snapshot


@pytest.fixture
def vault() -> Vault:
    """Without the slow derivation of a key."""
    return Vault(bytes(32), SALT)


@pytest.fixture
def files(tmp_path: Path) -> StackFiles:
    return StackFiles(f"file://{tmp_path}/state", "shop", "dev")


@pytest.fixture
def tiny_disk() -> Iterator[Path]:
    """A file system of 64 KiB."""
    with tempfile.TemporaryDirectory() as name:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", name], capture_output=True)
        if mounted.returncode:
            pytest.skip("needs the right to mount a tmpfs")
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", name], check=True)


def test_a_full_disk_leaves_the_old_state_and_says_so(tiny_disk: Path, vault: Vault) -> None:
    files = StackFiles(f"file://{tiny_disk}", "shop", "dev")
    files.save(lambda: snapshot(1), vault)
    with pytest.raises(EngineError, match=r"No space left on device \(.*dev\.json\).*still holds the state before"):
        files.save(lambda: snapshot(2, size=100), vault)
    assert saved_generation(files, vault) == 1
    assert [path.name for path in files.path.parent.iterdir()] == ["dev.json"], "the failed attempt must not eat room"
    files.save(lambda: snapshot(3), vault)
    assert saved_generation(files, vault) == 3
    with pytest.raises(EngineError, match=r"could not write the history: No space left on device"):
        files.add_history("update", succeeded=True, start=1, end=2, changes={}, config={}, message="x" * 70_000)


KILLED_SAVE = """
import sys
sys.path.insert(0, {root!r})
from tests.engine.saves import SALT, die_at, snapshot
from engine.backend import StackFiles
from engine.secrets import Vault

files, vault = StackFiles(sys.argv[1], "shop", "dev"), Vault(bytes(32), SALT)
die_at(int(sys.argv[2]), ("open", "fdopen", "fsync", "link", "unlink", "replace", "close"))
files.save(lambda: snapshot(2), vault)
"""


def test_a_kill_at_any_step_of_a_save_leaves_the_old_or_the_new_state(files: StackFiles, vault: Vault) -> None:
    script = KILLED_SAVE.format(root=str(Path(__file__).parents[2]))
    files.save(lambda: snapshot(0), vault)
    seen = []
    for step in range(1, 50):
        files.save(lambda: snapshot(1), vault)
        url = f"file://{files.path.parents[3]}"
        ended = subprocess.run([sys.executable, "-c", script, url, str(step)], capture_output=True, check=False)
        seen.append(saved_generation(files, vault))
        assert files.backup.exists()
        decode(json.loads(files.backup.read_bytes()), vault)
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    assert seen == sorted(seen), "once it is new it stays new"
    assert (seen[0], seen[-1]) == (1, 2)
    assert len(seen) > 6, "the kill did not reach the steps of a save"
    files.save(lambda: snapshot(3), vault)
    assert {path.name for path in files.path.parent.iterdir()} == {"dev.json", "dev.json.bak"}, "leftovers stay"


def test_saves_of_many_threads_share_writes_and_lose_nothing(files: StackFiles, vault: Vault) -> None:
    done: list[int] = []
    on_disk_too_early: list[int] = []
    lock = threading.Lock()

    def step(number: int) -> None:
        with lock:
            done.append(number)
        files.save(lambda: Snapshot(resources=snapshot(0).resources[:1], extra={"done": list(done)}), vault)
        if number not in json.loads(files.path.read_bytes())["checkpoint"]["latest"]["done"]:
            on_disk_too_early.append(number)

    threads = [threading.Thread(target=step, args=(number,)) for number in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert on_disk_too_early == [], "a save returned before its state was on disk"


def test_a_save_of_200_resources_is_cheap(files: StackFiles, vault: Vault) -> None:
    entries = snapshot(1, size=200).resources
    files.save(lambda: Snapshot(resources=entries), vault)
    size, times = files.path.stat().st_size, []
    for index in range(20):
        new = ResourceState(urn=f"{ROOT}-{index}", type="a:b:C", custom=False, inputs={"key": Secret("x")})
        entries = (*entries, new)
        current = Snapshot(resources=entries, pending=(PendingOperation(new, "creating"),))
        start = time.perf_counter()
        files.save(iter([current]).__next__, vault)
        times.append(time.perf_counter() - start)
    median = sorted(times)[len(times) // 2]
    print(f"200 resources, {size // 1024} KiB: {median * 1000:.1f} ms per save")  # noqa: T201 - shown with -s
    assert median < 0.25, "every step of an update saves twice"
