"""The quick smoke tests after an `up`: the same tests that `pytest tests/smoke --stack S` runs, a subset under 2 s."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cli.errors import CliError
from infra.workspace import Workspace

# Each test has its own deadline; this one is for a run that hangs outside of them.
_DEADLINE = 120

_NOTHING_TO_TEST = 5  # pytest's exit code. A stack without applications has no login to try anything with

# Parts of pytest that take a while, and that these tests have no use for: its cache, a plugin for asynchronous tests,
# and the collection of garbage that might have warned as it went.
_WITHOUT = ("cacheprovider", "anyio", "unraisableexception")


@dataclass(frozen=True)
class Smoke:
    """A run that passed."""

    passed: int
    seconds: float


class Checks:
    """A pytest that has begun: it imports and collects the tests, then waits for the stack's outputs on its stdin."""

    def __init__(self, workspace: Workspace, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._again = f"pytest tests/smoke --stack {workspace.stack}"

    def run(self, outputs: Mapping[str, Any]) -> Smoke:
        """`outputs` are the stack's, secrets included. Raises CliError with the tests' report if one fails."""
        begun = time.monotonic()
        try:
            text, _ = self._process.communicate(json.dumps(outputs), timeout=_DEADLINE)
        except subprocess.TimeoutExpired:
            raise CliError(
                f"the smoke tests did not end within {_DEADLINE} s. Run them by hand: {self._again}"
            ) from None
        summary = re.search(r"(\d+) passed.* in [\d.]+s", text)
        if self._process.returncode in (0, _NOTHING_TO_TEST) and summary is None:
            return Smoke(passed=0, seconds=0)
        if self._process.returncode != 0 or summary is None:
            raise CliError(f"the stack is up, but its smoke tests failed. Again: {self._again}\n\n{text.strip()}")
        return Smoke(passed=int(summary[1]), seconds=time.monotonic() - begun)


@contextmanager
def prepared(workspace: Workspace) -> Iterator[Checks]:
    """Starts pytest, so that it is ready when the stack is. Ended at the end, whether it ran or not."""
    tests = (workspace.root / "tests" / "smoke").resolve()  # pytest finds its settings above the real path
    command = [sys.executable, "-m", "pytest", str(tests), "--stack", workspace.stack, "-m", "quick and not slow"]
    command += ["-q", "--no-header", "--tb=short", "--maxfail=3", "--color=no"]
    command += ["--outputs-on-stdin", "--capture=sys"]  # capturing what is beneath sys.stdin would close it, too
    command += [part for plugin in _WITHOUT for part in ("-p", f"no:{plugin}")]
    process = subprocess.Popen(
        command,
        cwd=workspace.root,
        env={**os.environ, **workspace.environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield Checks(workspace, process)
        finally:
            process.kill()
