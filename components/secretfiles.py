"""Secrets of this host's user: where they lie, how they are read and written.

`${XDG_STATE_HOME:-~/.local/state}/strata/secrets/<stack>/<name>`, folders 0700 and files 0600. Slices keep the name
of a secret in their state, never its value, and read the file when they act: a rotated password breaks nothing.
"""

import os
import re
import tempfile
from pathlib import Path
from typing import Final

NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


class SecretFileError(Exception):
    """A secret that cannot be read or written; the text names the file and what to do."""


def state_home() -> Path:
    """Where Strata keeps what belongs to this user and to no checkout: state, passphrases, secrets, configuration."""
    base = os.environ.get("XDG_STATE_HOME", "")
    # The XDG specification tells programs to ignore a relative path.
    home = Path(base) if base.startswith("/") else Path.home() / ".local" / "state"
    return home / "strata"


def secret_path(stack: str, name: str) -> Path:
    """The file of the secret `name` (such as `postgres/admin`). Raises SecretFileError for any other name."""
    for part in (stack, name):
        if not NAME.fullmatch(part):
            raise SecretFileError(
                f"`{part}` is no name of a secret: write letters, digits, `_`, `.`, `-`, split by `/`"
            )
    return state_home() / "secrets" / stack / name


def read_secret(stack: str, name: str) -> str:
    """The secret's text. Raises SecretFileError, saying which file is missing and how it is made."""
    path = secret_path(stack, name)
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SecretFileError(f"{path} is missing. `strata up --stack {stack}` writes it.") from None
    except OSError as error:
        raise SecretFileError(f"{path} cannot be read: {error.strerror}") from None


def write_secret(stack: str, name: str, text: str) -> Path:
    """Write the secret so that a reader sees the old text or the new one, never a part. Raises SecretFileError."""
    path = secret_path(stack, name)
    try:
        _make_folders(path.parent)
        # mkstemp makes the file 0600, so that the text is never readable by others, not even for a moment.
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SecretFileError(f"{path} cannot be written: {error.strerror}") from None
    return path


def remove_secret(stack: str, name: str) -> None:
    """Remove the secret's file; it may be gone already. Raises SecretFileError."""
    path = secret_path(stack, name)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise SecretFileError(f"{path} cannot be removed: {error.strerror}") from None


def _make_folders(folder: Path) -> None:
    """`folder` and what is missing above it, up to the state home, each 0700 whatever the umask."""
    home = state_home()
    home.parent.mkdir(parents=True, exist_ok=True)
    for path in [home, *reversed([p for p in (folder, *folder.parents) if home in p.parents])]:
        path.mkdir(mode=0o700, exist_ok=True)
        path.chmod(0o700)
