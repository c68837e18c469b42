"""The quick smoke tests after an `up`: the same tests that `pytest tests/smoke --stack S` runs, a subset under 3 s."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass

from cli.errors import CliError
from infra.workspace import Workspace

# Each test has its own deadline; this one is for a run that hangs outside of them.
_DEADLINE = 120

_NOTHING_TO_TEST = 5  # pytest's exit code. A stack without applications has no login to try anything with


@dataclass(frozen=True)
class Smoke:
    """A run that passed."""

    passed: int
    seconds: float


def run_quick(workspace: Workspace) -> Smoke:
    """Raises CliError with the tests' report if one fails."""
    tests = (workspace.root / "tests" / "smoke").resolve()  # pytest finds its settings above the real path
    command = [sys.executable, "-m", "pytest", str(tests), "--stack", workspace.stack, "-m", "quick"]
    command += ["-q", "--no-header", "--tb=short", "--maxfail=3", "--color=no", "-p", "no:cacheprovider"]
    again = f"pytest tests/smoke --stack {workspace.stack}"
    try:
        done = subprocess.run(
            command,
            cwd=workspace.root,
            env={**os.environ, **workspace.environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_DEADLINE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CliError(f"the smoke tests did not end within {_DEADLINE} s. Run them by hand: {again}") from None
    summary = re.search(r"(\d+) passed.* in ([\d.]+)s", done.stdout)
    if done.returncode in (0, _NOTHING_TO_TEST) and summary is None:
        return Smoke(passed=0, seconds=0)
    if done.returncode != 0 or summary is None:
        raise CliError(f"the stack is up, but its smoke tests failed. Again: {again}\n\n{done.stdout.strip()}")
    return Smoke(passed=int(summary[1]), seconds=float(summary[2]))
