"""The stack lock of the official file backend: `.pulumi/locks/organization/<project>/<stack>/<uuid>.json`.

Every file in that folder is a lock. Between processes of this engine the check and the write are one step (flock on
the folder); towards the official CLI the rule is its own: check, write, check again, and withdraw if somebody is there.
"""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.errors import EngineError


class LockedError(EngineError):
    """Somebody else holds the stack; the text names pid, user, host and since when."""


class StackLock:
    """A context manager. A lock whose process on this host is gone is taken over, which `tell` is told."""

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        """Raises LockedError."""
        raise NotImplementedError

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raise NotImplementedError
