"""One process per storage folder."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class LockedError(Exception):
    """Another server has the folder."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """The lock goes with the process, so a killed server leaves none behind. Raises LockedError."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockedError(f"{folder} is in use by another server: two would destroy each other's data") from None
        yield
