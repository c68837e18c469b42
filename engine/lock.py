"""The stack lock of the official file backend: `.pulumi/locks/organization/<project>/<stack>/<uuid>.json`.

Every file in that folder is a lock. Between processes of this engine the check and the write are one step (flock on the
folder); towards the official CLI the rule is its own: check, write, check again, and withdraw if somebody is there.

Process ids are used again, so a lock of this engine also holds an flock for as long as its process lives: whether the
holder is gone is then a fact. Locks of the CLI have their pid only.
"""

import fcntl
import getpass
import json
import os
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from engine.errors import EngineError
from engine.files import make_folder

_ENGINE = "embedded"  # a field of the lock file that the CLI does not read


class LockedError(EngineError):
    """Somebody else holds the stack; the text names pid, user, host and since when."""


@dataclass(frozen=True)
class Holder:
    """Who took a lock, as its file says."""

    file: Path
    pid: int
    user: str
    host: str
    since: str
    engine: str

    def __str__(self) -> str:
        return f"{self.user}@{self.host} (pid {self.pid}) since {self.since}"

    def is_running(self) -> bool:
        """True only if it is certain: the lock is of this host and this engine, whose process holds it."""
        return self.host == socket.gethostname() and self.engine == _ENGINE and not _is_unheld(self.file)

    def is_gone(self) -> bool:
        """True only if it is certain: the lock is of this host and its process does not exist."""
        if self.host != socket.gethostname():
            return False
        return _is_unheld(self.file) if self.engine == _ENGINE else not psutil.pid_exists(self.pid)


class StackLock:
    """A context manager. A lock whose process on this host is gone is taken over, which `tell` is told."""

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self._folder = folder
        self._file = folder / f"{uuid.uuid4()}.json"
        self._tell = tell
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Raises LockedError; EngineError if the lock can't be written."""
        try:
            make_folder(self._folder)
            with _alone_in(self._folder):
                self._take_over_or_refuse()
                self._write()
                try:
                    self._take_over_or_refuse()
                except LockedError:
                    self._release()
                    raise
        except OSError as error:
            self._release()
            raise EngineError(f"could not lock the stack: {error.strerror} ({self._folder})") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def _take_over_or_refuse(self) -> None:
        for file in _files(self._folder):
            if file == self._file:
                continue
            try:
                holder = _read(file)
                gone = holder.is_gone()
            except FileNotFoundError:  # released meanwhile
                continue
            if not gone:
                raise LockedError(
                    f"the stack is locked by {holder}. Wait for it to end; if nothing runs there any more, "
                    f"remove the lock: rm '{file}' (or `pulumi cancel`)"
                )
            self._tell(f"took over the lock of {holder}: that process is gone")
            remove(file)

    def _write(self) -> None:
        """The file appears whole and already held: it is written outside of the folder that others list."""
        content = {
            "pid": os.getpid(),
            "username": _user(),
            "hostname": socket.gethostname(),
            "timestamp": datetime.now(UTC).isoformat(),
            "engine": _ENGINE,
        }
        new = self._folder.with_name(f".{self._folder.name}.lock")
        self._descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        os.write(self._descriptor, json.dumps(content).encode())
        new.rename(self._file)

    def _release(self) -> None:
        self._file.unlink(missing_ok=True)
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def locks(folder: Path) -> Iterator[tuple[Path, Holder | None]]:
    """Every lock of a stack, and whose it is; None if the file does not say so."""
    for file in _files(folder):
        try:
            yield file, _read(file)
        except FileNotFoundError:  # released meanwhile
            continue
        except LockedError:
            yield file, None


def remove(file: Path) -> None:
    """A lock, and the CLI's notes about it."""
    file.unlink(missing_ok=True)
    file.with_name(file.name + ".attrs").unlink(missing_ok=True)


def _files(folder: Path) -> list[Path]:
    """Without .attrs: notes of the CLI's storage library."""
    return [file for file in sorted(folder.glob("*")) if file.suffix != ".attrs"]


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Held for the moment of checking and writing only."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(file: Path) -> Holder:
    try:
        content: dict[str, Any] = json.loads(file.read_bytes())
        return Holder(
            file,
            pid=int(content["pid"]),
            user=str(content["username"]),
            host=str(content["hostname"]),
            since=str(content["timestamp"]),
            engine=str(content.get("engine", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LockedError(
            f"the stack is locked by {file}, which does not say by whom: remove it if nothing runs there any more"
        ) from error


def _is_unheld(file: Path) -> bool:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a uid without an entry in passwd, as in containers
        return str(os.getuid())
