"""A run whose steps are logged can be killed at any moment."""

import signal
import subprocess
import sys
from pathlib import Path

from engine.backend import StackFiles
from engine.steps import load

KILLED_RUN = """
import os, signal, sys
sys.path.insert(0, {root!r})
from engine import steplog
from engine.backend import StackFiles
from engine.journal import Journal
from engine.secrets import Vault
from engine.state import ResourceState, Snapshot
from tests.engine.saves import SALT

steplog.LARGE, steplog.SHARE = 0, 1_000_000
remaining = int(sys.argv[2])
def dying(function):
    def call(*arguments, **options):
        global remaining
        remaining -= 1
        if remaining == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return call

files, vault = StackFiles(sys.argv[1], "p", "dev"), Vault(bytes(32), SALT)
journal = Journal(Snapshot(), lambda j: files.record(j, vault))
for name in ("open", "fdopen", "fsync", "fdatasync", "link", "unlink", "replace", "close", "write"):
    setattr(os, name, dying(getattr(os, name)))
for step in range(6):
    entry = ResourceState(urn=str(step), type="t:t:T", custom=True, id="x" * 300)
    journal.record(entry, operation=journal.begin(entry, "creating"))
    journal.flush()
    sys.stdout.write(str(step))
    sys.stdout.flush()
"""


def test_a_kill_at_any_moment_of_a_run_loses_no_step_that_was_finished(tmp_path: Path) -> None:
    script = KILLED_RUN.format(root=str(Path(__file__).parents[2]))
    url = f"file://{tmp_path}/state"
    path = StackFiles(url, "p", "dev").path
    kills = 0
    for moment in range(1, 200, 3):
        path.unlink(missing_ok=True)
        ended = subprocess.run([sys.executable, "-c", script, url, str(moment)], capture_output=True, check=False)
        finished = list(ended.stdout.decode())
        if finished:
            names = [entry["urn"] for entry in load(path)["checkpoint"]["latest"]["resources"]]
            assert names[: len(finished)] == finished
            assert len(names) <= len(finished) + 1
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
        kills += 1
    assert kills > 10
    assert ended.returncode == 0
