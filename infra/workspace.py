"""Where a stack lives: the project's folder, the state backend and the passphrase.

What the environment says wins, in the official CLI's order: PULUMI_BACKEND_URL, then `backend.url` of Pulumi.yaml, then
the user's state folder; PULUMI_CONFIG_PASSPHRASE, then PULUMI_CONFIG_PASSPHRASE_FILE, then a file per stack.
"""

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from components import privatefiles
from components.privatefiles import state_home

PROJECT_FILE: Final = "Pulumi.yaml"

# The official CLI's rule (sdk/go/common/tokens/names.go: at most 100 characters), without the folders `.` and `..`.
STACK_NAME: Final = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.-]{1,100}")


class WorkspaceError(Exception):
    """The text is what the user reads."""


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """One stack of one checkout."""

    root: Path
    project: str
    stack: str
    backend_url: str
    environ: Mapping[str, str] = field(repr=False)
    config_copy: Path | None = None  # settings for one run only

    @property
    def config_file(self) -> Path:
        return self.config_copy or self.root / f"Pulumi.{self.stack}.yaml"

    @property
    def state_file(self) -> Path | None:
        """The stack's checkpoint, which need not exist; None if the state is not in files of this host."""
        if not self.backend_url.startswith("file://"):
            return None
        folder = Path(self.backend_url.removeprefix("file://")).expanduser()
        return folder / ".pulumi" / "stacks" / self.project / f"{self.stack}.json"

    @property
    def passphrase_file(self) -> Path:
        """The file that `create_passphrase` makes and that counts if the environment names no passphrase."""
        return state_home() / "passphrase" / self.stack

    def passphrase_variables(self) -> dict[str, str]:
        """What a `pulumi` process needs in its environment besides what is there. Nothing for shared state."""
        given = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
        if self.state_file is None or any(name in self.environ for name in given):
            return {}
        return {"PULUMI_CONFIG_PASSPHRASE_FILE": str(self.passphrase_file)}

    def passphrase(self) -> str:
        """Raises WorkspaceError if there is none."""
        if (given := self.environ.get("PULUMI_CONFIG_PASSPHRASE")) is not None:
            return given
        named = self.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE")
        path = Path(named) if named else self.passphrase_file
        try:
            return path.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            raise WorkspaceError(
                f"no passphrase for the stack `{self.stack}`: {path} does not exist.\n"
                f"Put that file back, or export PULUMI_CONFIG_PASSPHRASE. A new stack gets one from"
                f" `strata up --stack {self.stack}`."
            ) from None
        except OSError as error:
            raise WorkspaceError(f"cannot read the passphrase file {path}: {error.strerror}") from None

    def create_passphrase(self) -> Path | None:
        """Gives a new stack a random passphrase; its file, or None if there was one or none is needed.

        Raises WorkspaceError if the stack already has a state: a new passphrase would not open it.
        """
        if not self.passphrase_variables() or self.passphrase_file.exists():
            return None
        if self.state_file and self.state_file.exists():
            raise WorkspaceError(
                f"the stack `{self.stack}` has a state ({self.state_file}), but its passphrase file"
                f" {self.passphrase_file} is gone.\nPut that file back, or export PULUMI_CONFIG_PASSPHRASE."
            )
        return (
            self.passphrase_file
            if privatefiles.create(self.passphrase_file, secrets.token_urlsafe(32) + "\n")
            else None
        )


def find(stack: str, *, start: Path | None = None, environ: Mapping[str, str] | None = None) -> Workspace:
    """The workspace of `stack` in the project that `start` (default: the current folder) lies in.

    Raises WorkspaceError.
    """
    if not STACK_NAME.fullmatch(stack):
        raise WorkspaceError(f"`{stack}` cannot be a stack's name: write letters, digits, `-`, `_` or `.`")
    environ = os.environ if environ is None else environ
    root = _find_root(start or Path.cwd())
    project = _read_project(root / PROJECT_FILE)
    url = environ.get("PULUMI_BACKEND_URL") or (project.get("backend") or {}).get("url") or f"file://{state_home()}"
    return Workspace(root=root, project=project["name"], stack=stack, backend_url=url, environ=environ)


def _find_root(start: Path) -> Path:
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder
    raise WorkspaceError(f"no {PROJECT_FILE} in {start} or above it: run `strata` inside the project's folder")


def _read_project(path: Path) -> dict[str, Any]:
    try:
        project = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise WorkspaceError(f"{path} cannot be read: {error}") from None
    if not isinstance(project, dict) or not isinstance(project.get("name"), str):
        raise WorkspaceError(f"{path} has no name. Write: `name: strata`")
    return project
