"""A policy pack's process. What is asked of it is in engine/analyzer.py."""

import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from engine.policy_pack import PolicyPack
from engine.program import Child
from engine.providers.base import ProviderError

_LAUNCHER: Final = Path(__file__).with_name("analyzer_launcher.py")
_START: Final = 60.0  # seconds for the pack to import the SDK and listen
_POLL: Final = 0.1  # seconds
_GRACE: Final = 2.0  # seconds for the exit code of a process that stopped answering
_NO_ENGINE: Final = "127.0.0.1:0"  # a pack is told an address, and asks it nothing: its log goes to stderr


class PackError(ProviderError):
    """A pack that cannot be asked. Nothing is changed without its word."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The stack that a pack is asked about."""

    project: str
    stack: str
    dry: bool
    config: Mapping[str, str] = field(repr=False)  # in plain, as a program gets it
    secret_keys: frozenset[str] = frozenset()


class PackProcess:
    """An interpreter that imports the SDK as soon as it is made, and runs the pack when it is told the stack."""

    def __init__(self, pack: PolicyPack) -> None:
        self.pack = pack
        self._say: Callable[[str], None] | None = None
        self._early: list[str] = []
        self._port: Future[str] = Future()
        self._last = ""  # line on stderr: of a traceback, what it is about
        self._lock = threading.Lock()
        command = [str(pack.python), "-u", "-P", str(_LAUNCHER)]
        self._child = Child(command, folder=pack.folder, environment={}, say=self._heard)

    def run(self, subject: Subject, say: Callable[[str], None]) -> None:
        """`say` is told each line that the pack writes. Returns at once; the variables are the official engine's."""
        with self._lock:
            self._say = say
            for line in self._early:
                say(line)
        environment = {
            "PULUMI_ORGANIZATION": "organization",
            "PULUMI_PROJECT": subject.project,
            "PULUMI_STACK": subject.stack,
            "PULUMI_DRY_RUN": "true" if subject.dry else "false",
            "PULUMI_CONFIG": json.dumps(dict(subject.config)),
        }
        options = {"engine": _NO_ENGINE, "program": self.pack.program, "environment": environment}
        self._child.tell(json.dumps(options))

    def port(self) -> str:
        """Where it listens, once it does. Raises PackError."""
        waited = 0.0
        while waited < _START:
            try:
                return self._port.result(_POLL)
            except TimeoutError:
                waited += _POLL
            code = self._child.ended()
            if code is not None:
                why = self._last or "its __main__.py has to make a pulumi_policy.PolicyPack"
                raise PackError(f"the policy pack {self.pack.shown} did not start (exit code {code}): {why}")
        raise PackError(f"the policy pack {self.pack.shown} did not listen within {_START:.0f} s")

    def lost(self) -> PackError:
        """What to raise when the connection to it is broken."""
        code = self._child.ended(_GRACE)
        how = "does not answer any more" if code is None else f"ended (exit code {code})"
        return PackError(f"the policy pack {self.pack.shown} {how}{f': {self._last}' if self._last else ''}")

    def stop(self) -> None:
        self._child.stop()

    def _heard(self, line: str, errors: bool) -> None:
        with self._lock:
            if errors:
                self._last = line.strip() or self._last
            elif line.isdecimal() and not self._port.done():
                self._port.set_result(line)
                return
            if self._say is None:
                self._early.append(line)
            elif line:
                self._say(line)
