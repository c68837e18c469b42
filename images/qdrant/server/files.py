"""Files that are there whole, or not at all."""

import os
import shutil
import uuid
from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Also after a loss of power, `path` has either its old content or `text`."""
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    sync_folder(path.parent)


def remove_folder(folder: Path) -> None:
    """Renames first, so that a removal that is cut off leaves nothing under the old name."""
    doomed = folder.with_name(f".removed-{uuid.uuid4()}")
    folder.rename(doomed)
    sync_folder(folder.parent)
    shutil.rmtree(doomed)


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
