"""Pulumi.yaml and Pulumi.<stack>.yaml: the project, and the stack's configuration as a program is given it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Project:
    """What the engine uses of Pulumi.yaml."""

    name: str
    file: Path
    root: Path  # the folder of Pulumi.yaml
    program: Path  # the folder (or file) to run: `main`
    virtualenv: Path | None = None  # runtime.options.virtualenv
    description: str = ""
    stack_config_folder: Path
    backend_url: str | None = None
    declarations: Mapping[str, Any] = field(default_factory=dict)  # `config:`, keys with their namespace

    @property
    def python(self) -> Path:
        """The interpreter of the virtualenv, else this process' own. Raises EngineError if it is missing."""
        raise NotImplementedError

    def config_file(self, stack: str) -> Path:
        """Pulumi.<stack>.yaml, which need not exist."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class StackConfig:
    """A stack's configuration, validated against the project's declarations, defaults filled in."""

    file: Path
    values: Mapping[str, str] = field(repr=False)  # "<namespace>:<key>" → plain text, as in PULUMI_CONFIG
    secret_keys: frozenset[str]
    history: Mapping[str, Any]  # key → {"value"|"objectValue"|"secure"...} for history entries: nothing in plain

    def of_package(self, package: str) -> dict[str, Any]:
        """`<package>:<key>` values as a default provider's inputs: key → string, `Secret` where secret."""
        raise NotImplementedError

    def as_properties(self) -> dict[str, Any]:
        """All values by full key, `Secret` where secret: what the provider `pulumi-python` is configured with."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """PULUMI_CONFIG and PULUMI_CONFIG_SECRET_KEYS (both JSON) for the program."""
        raise NotImplementedError


def load_project(root: Path) -> Project:
    """Raises EngineError with file and line."""
    raise NotImplementedError


def encryption_salt(file: Path) -> str | None:
    """`encryptionsalt` of the stack's file, if it has one."""
    raise NotImplementedError


def load_stack_config(project: Project, stack: str, file: Path, decrypt: Callable[[str], str]) -> StackConfig:
    """Reads, decrypts, validates. Raises EngineError with file, line and key; never with a secret's value."""
    raise NotImplementedError
