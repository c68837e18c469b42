"""Files in the state home that only their owner reads: where it is, and how they are written."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def state_home() -> Path:
    """Where Strata keeps what belongs to this user and to no checkout: state, passphrases, secrets, configuration."""
    base = os.environ.get("XDG_STATE_HOME", "")
    # The XDG specification tells programs to ignore a relative path.
    home = Path(base) if base.startswith("/") else Path.home() / ".local" / "state"
    return home / "strata"


def replace(path: Path, text: str) -> None:
    """Write `path` so that a reader sees the old text or the new one, never a part. Raises OSError."""
    with _draft(path, text) as draft:
        draft.replace(path)


def create(path: Path, text: str) -> bool:
    """Write `path` complete or not at all; False if it is there already. Raises OSError."""
    with _draft(path, text) as draft:
        try:
            os.link(draft, path)  # unlike a rename, this fails if the name is taken
        except FileExistsError:
            return False
    return True


@contextmanager
def _draft(path: Path, text: str) -> Iterator[Path]:
    """A complete copy beside `path`, on the disk, gone at the end unless it was renamed."""
    _make_folders(path.parent)
    # mkstemp makes the file 0600, so that the text is never readable by others, not even for a moment.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _make_folders(folder: Path) -> None:
    """`folder` and what is missing above it, up to the state home, each 0700 whatever the umask."""
    home = state_home()
    home.parent.mkdir(parents=True, exist_ok=True)
    for path in [home, *reversed([p for p in (folder, *folder.parents) if home in p.parents])]:
        path.mkdir(mode=0o700, exist_ok=True)
        path.chmod(0o700)
