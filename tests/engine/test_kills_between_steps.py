"""A run whose steps are logged can be killed at any moment."""

import signal
import subprocess
import sys
from pathlib import Path

from engine.backend import StackFiles
from engine.steps import load

KILLED_RUN = """
import sys
sys.path.insert(0, {root!r})
from engine import steplog
from engine.backend import StackFiles
from engine.journal import Journal
from engine.secrets import Vault
from engine.state import ResourceState, Snapshot
from tests.engine.saves import SALT, die_at

steplog.LARGE, steplog.SHARE = 0, 1_000_000
files, vault = StackFiles(sys.argv[1], "p", "dev"), Vault(bytes(32), SALT)
journal = Journal(Snapshot(), lambda j: files.record(j, vault))
die_at(int(sys.argv[2]), ("open", "fdopen", "fsync", "fdatasync", "link", "unlink", "replace", "close", "write"))
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
