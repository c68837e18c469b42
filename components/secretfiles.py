"""Secrets of this host's user: where they lie, how they are read and written.

`${XDG_STATE_HOME:-~/.local/state}/strata/secrets/<stack>/<name>`, folders 0700 and files 0600. Slices keep the name
of a secret in their state, never its value, and read the file when they act: a rotated password breaks nothing.
"""

import re
from pathlib import Path
from typing import Final

from components import privatefiles
from components.privatefiles import state_home

# Beside a secret that a running backend has to be told: what the backend may still accept instead, one a line.
PREVIOUS: Final = ".previous"
NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


class SecretFileError(Exception):
    """A secret that cannot be read or written; the text names the file and what to do."""


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
        privatefiles.replace(path, text)
    except OSError as error:
        raise SecretFileError(f"{path} cannot be written: {error.strerror}") from None
    return path


def keep_previous(stack: str, name: str, text: str) -> None:
    """Before `text` takes the secret's place: keep what is there, beside what was kept before. Raises SecretFileError.

    Which of them the backend accepts is not known until it is asked, so none is dropped before `forget_previous`.
    """
    if not secret_path(stack, name).exists():
        return
    current, kept = read_secret(stack, name), previous_secrets(stack, name)
    if current not in (text, *kept):
        write_secret(stack, name + PREVIOUS, "".join(f"{secret}\n" for secret in (current, *kept)))


def previous_secrets(stack: str, name: str) -> list[str]:
    """What the secret was since `forget_previous`, the newest first. Raises SecretFileError."""
    if not secret_path(stack, name + PREVIOUS).exists():
        return []
    return read_secret(stack, name + PREVIOUS).splitlines()


def forget_previous(stack: str, name: str) -> None:
    """The backend has accepted the current secret. Raises SecretFileError."""
    remove_secret(stack, name + PREVIOUS)


def remove_secret(stack: str, name: str) -> None:
    """Remove the secret's file; it may be gone already. Raises SecretFileError."""
    path = secret_path(stack, name)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise SecretFileError(f"{path} cannot be removed: {error.strerror}") from None
