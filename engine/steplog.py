"""Writing the steps of a run (see engine.steps for what they are), and when the whole state is written instead."""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.checkpoint import Writer
from engine.deltas import Begun, Change, Ended, Layout, Old, Put, Settled
from engine.files import sync_folder

LARGE = 512 * 1024  # bytes, some 220 resources; smaller states are saved in a few milliseconds
SHARE = 20  # a whole save is due when this many times its duration has passed


@dataclass
class Pace:
    """When the whole file is saved again. Small ones always are: there is nothing to be gained then.

    With others it takes at most a twentieth of the time, so that what `fold` has to add is seconds old.
    """

    broken: bool = False  # there is no log to go on with
    logged: int = 0  # bytes since the last whole save
    _size: int = 0
    _due: float = 0.0

    @property
    def is_large(self) -> bool:
        return self._size >= LARGE

    @property
    def whole_is_due(self) -> bool:
        return not self.is_large or self.broken or self.logged > self._size or time.monotonic() >= self._due

    def saved(self, size: int, *, seconds: float) -> None:
        """A whole save of so many bytes, which took so long."""
        self.broken, self.logged = False, 0
        self._size, self._due = size, time.monotonic() + SHARE * seconds


@dataclass
class StepLog:
    """The log of one run, made at the first step after a whole save. Methods raise OSError."""

    path: Path
    _descriptor: int | None = None
    size: int = 0  # bytes

    @property
    def is_open(self) -> bool:
        return self._descriptor is not None

    def append(self, base: str, layout: Layout, changes: Sequence[Change], writer: Writer) -> None:
        """One line, durable when this returns; `base` and `layout` are those of the last whole save.

        After an error the log must be closed: its last line may be half there.
        """
        lines = "" if self.is_open else _json({"base": base, **vars(layout)}) + "\n"
        lines += "[" + ",".join(_line(change, writer) for change in changes) + "]\n"
        content = lines.encode("utf-8", "replace")
        created = self._descriptor is None
        if self._descriptor is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NOFOLLOW
            self._descriptor = os.open(self.path, flags, 0o600)
        while content:
            written = os.write(self._descriptor, content)
            self.size += written
            content = content[written:]
        os.fdatasync(self._descriptor)
        if created:
            sync_folder(self.path.parent)

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor, self.size = None, 0

    def remove(self) -> None:
        """After a whole save, which has all of it."""
        self.close()
        self.path.unlink(missing_ok=True)


def _line(change: Change, writer: Writer) -> str:
    match change:
        case Put(entry):
            return f'{{"put":{writer.entry(entry)}}}'
        case Old(number, entry):
            return f'{{"old":{number},"entry":{writer.entry(entry) if entry else "null"}}}'
        case Begun(number, operation):
            return f'{{"begun":{number},"operation":{writer.operation(operation)}}}'
        case Ended(number):
            return f'{{"ended":{number}}}'
        case Settled(urn):
            return f'{{"settled":{_json(urn)}}}'


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
