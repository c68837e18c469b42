"""What takes long, said while it does: whoever waits should see what for, in a log as well as on a terminal."""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

from engine.events import Step

_LONG: Final = 2.0  # seconds after which a step is spoken of
_PAUSE: Final = 10.0  # seconds between two lines, at least
_LOOK: Final = 0.5  # seconds between two looks
_NAMED: Final = 4  # steps in one line, the longest first


class Progress:
    """Watches steps from `begin` to `end`, and says which have been going on for a while."""

    def __init__(self, say: Callable[[str], None], doing: Callable[[Step], str]) -> None:
        """`doing` puts a step into words. `say` is called from a thread of its own."""
        self._say, self._doing = say, doing
        self._running: dict[tuple[str, str], tuple[float, Step]] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def begin(self) -> None:
        self.end()
        self._running, self._ended = {}, threading.Event()
        threading.Thread(target=self._watch, args=(self._ended,), name="progress", daemon=True).start()

    def step(self, step: Step) -> None:
        with self._lock:
            if step.phase == "start":
                self._running[step.op, step.urn] = (time.monotonic(), step)
            else:
                self._running.pop((step.op, step.urn), None)

    def end(self) -> None:
        self._ended.set()

    def _watch(self, ended: threading.Event) -> None:
        silent_until = 0.0
        while not ended.wait(_LOOK):
            now = time.monotonic()
            with self._lock:
                running = [(now - since, step) for since, step in self._running.values() if now - since >= _LONG]
            if running and now >= silent_until:
                silent_until = now + _PAUSE
                self._say(self._line(running))

    def _line(self, running: Iterable[tuple[float, Step]]) -> str:
        longest = sorted(running, key=lambda entry: entry[0], reverse=True)
        texts = [f"{self._doing(step)} ({seconds:.0f}s)" for seconds, step in longest[:_NAMED]]
        rest = len(longest) - len(texts)
        return ", ".join(texts) + (f" and {rest} more" if rest else "")
