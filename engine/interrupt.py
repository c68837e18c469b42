"""SIGINT and SIGTERM as a request to stop."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from engine.errors import ExitCode


@contextmanager
def on_interrupt(stop: Callable[[], None]) -> Iterator[None]:
    """The first signal calls `stop`, in a thread of its own; the second ends the process at once, as a kill would.

    Only the main thread of a process can have signals: elsewhere this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[signal.Signals, Any] = {}

    def first(number: int, frame: FrameType | None) -> None:
        for each in before:
            signal.signal(each, second)
        threading.Thread(target=stop).start()  # the interrupted code may hold a lock that `stop` needs

    def second(number: int, frame: FrameType | None) -> None:
        os._exit(ExitCode.CANCELLED)

    for each in (signal.SIGINT, signal.SIGTERM):
        before[each] = signal.signal(each, first)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
