"""Files that only their owner reads, and that are old or new but never half."""

import os
import shutil
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Makes the folder and what is missing above it, each 0700. Folders that exist keep their modes."""
    for missing in [*reversed(folder.parents), folder]:
        if not missing.exists():
            missing.mkdir(mode=0o700, exist_ok=True)


def replace_file(path: Path, content: bytes, *, backup: Path | None = None) -> None:
    """Writes beside the file (0600), syncs, and renames: a crash at any moment leaves the old content or the new one.

    The content before becomes `backup`. Raises OSError, and leaves the file and its backup alone then. One writer at
    a time: the name of the temporary file is fixed, so that a killed one leaves nothing that is not used again.
    """
    new = path.with_name(path.name + ".new")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        new.unlink(missing_ok=True)
        raise
    if backup and path.exists():
        _keep(path, backup)
    new.replace(path)
    sync_folder(path.parent)


def _keep(path: Path, backup: Path) -> None:
    """A second name costs no copying, and stops being shared as soon as the new file takes the first name."""
    temporary = backup.with_name(backup.name + ".new")
    temporary.unlink(missing_ok=True)
    try:
        os.link(path, temporary)
    except OSError:  # a file system without hard links
        shutil.copyfile(path, temporary)
        temporary.chmod(0o600)
    temporary.replace(backup)


def sync_folder(folder: Path) -> None:
    """A rename is durable only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
