"""Waiting for a cluster: how long, how it is told, and what ends it early."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.providers import Host
from engine.providers.base import Call, ProviderError
from engine.providers.kubernetes.ownership import annotation

TIMEOUT = "pulumi.com/timeoutSeconds"
DEFAULT_TIMEOUT = 600.0  # seconds
_POLLS = (0.05, 0.1, 0.15, 0.25)  # seconds between looks, the last one again and again: most is done at once
_QUIET = 5.0  # seconds between two lines about one object
_STILL = 60.0  # seconds until a line is said again


class InterruptedWaitError(ProviderError):
    """The user has asked to stop."""


def timeout_of(call: Call, manifest: Mapping[str, Any]) -> float:
    """Seconds. Raises ProviderError for an annotation that is no number."""
    text = annotation(manifest, TIMEOUT)
    if call.timeout:
        return call.timeout
    if not text:
        return DEFAULT_TIMEOUT
    if not text.isdecimal():
        raise ProviderError(f"annotation {TIMEOUT} must be a number of seconds, and is {text!r}")
    return float(text)


@dataclass
class Wait:
    """One wait for one object, told as `subject`."""

    subject: str
    seconds: float
    host: Host
    _begun: float = field(default_factory=time.monotonic)
    _said: float = field(default_factory=time.monotonic)
    _last: str = ""
    _looks: int = 0

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._begun

    def is_over(self) -> bool:
        return self.elapsed >= self.seconds

    def pause(self, state: str) -> None:
        """Waits a moment, and now and then says what for. Raises InterruptedWaitError."""
        now = time.monotonic()
        if now - self._said >= (_STILL if state == self._last else _QUIET):
            self._said, self._last = now, state
            self.host.say(f"{self.subject}: {state} ({self.elapsed:.0f} s)", "info")
        if self.host.stopping():
            raise InterruptedWaitError(f"the wait for it was interrupted; it was so far: {state}")
        with self.host.idle():
            time.sleep(_POLLS[min(self._looks, len(_POLLS) - 1)])
        self._looks += 1
