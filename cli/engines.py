"""Which engine carries a stack out: the official CLI where it is whole, the embedded engine where not."""

import os
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Protocol

import yaml

from cli.errors import CliError
from cli.state import Deployment, EngineName
from engine.errors import ExitCode
from engine.policy_pack import PackChoice
from infra.workspace import Workspace

# Come with the CLI, beside it or on PATH.
_BUNDLED: Final = ("pulumi-language-python", "pulumi-resource-pulumi-python")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the user asked for, in words that both engines understand."""

    ask: bool = False  # show a preview, then ask before changing anything
    parallel: int | None = None  # None: the engine's default, 4 per core
    expect_no_changes: bool = False
    refresh: bool = False  # read every resource first
    targets: tuple[str, ...] = ()  # URNs or patterns of them; empty: everything
    target_dependents: bool = False
    clear_pending_creates: bool = False  # with refresh
    continue_on_error: bool = False
    policy_packs: tuple[PackChoice, ...] = ()  # for `preview` and `up`
    diff: bool = False  # show which properties change
    json_output: bool = False


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an operation ended. With --json `report` is the engine's document, else the user has been told already."""

    exit_code: int
    report: Mapping[str, Any] = field(default_factory=dict)


class Engine(Protocol):
    """Carries the program out. Every method tells the user what it does and returns how it ended."""

    @property
    def title(self) -> str:
        """Name and version, for the first line."""

    def warmed(self, options: Options) -> AbstractContextManager[None]:
        """Starts what takes a while and what any operation needs; ended with the context where nothing needed it."""

    def preview(self, options: Options) -> Outcome: ...

    def up(self, options: Options) -> Outcome: ...

    def destroy(self, options: Options) -> Outcome: ...

    def refresh(self, options: Options) -> Outcome: ...


def choose(workspace: Workspace, deployment: Deployment | None, wanted: EngineName | None) -> EngineName:
    """The engine to use. `wanted` is the user's word. Raises CliError if that cannot be, or must be said once."""
    path = workspace.environ.get("PATH", os.defpath)
    cli = shutil.which("pulumi", path=path)
    if wanted == "pulumi" and not cli:
        raise CliError("--engine pulumi: there is no `pulumi` on PATH. Install it, or leave the option out")
    if workspace.state_file is None:
        if wanted == "embedded":
            raise CliError(f"--engine embedded: {workspace.backend_url} is shared state: use the pulumi CLI")
        if not cli:
            raise CliError(f"{workspace.backend_url} is shared state: install the `pulumi` command")
        return "pulumi"
    if wanted:
        return wanted
    chosen: EngineName = "pulumi" if cli and not missing_plugins(Path(cli), workspace) else "embedded"
    before = deployment.last_writer if deployment else None
    if before and before != chosen:
        reason = "the `pulumi` CLI and its plugins are here" if chosen == "pulumi" else "no whole `pulumi` CLI is here"
        raise CliError(
            f"the stack `{workspace.stack}` was last written by the {_ENGINES[before]}, and {reason}.\n"
            f"Say once which one goes on: `--engine {before}` or `--engine {chosen}`",
            ExitCode.BAD_USAGE,
        )
    return chosen


def missing_plugins(cli: Path, workspace: Workspace) -> list[str]:
    """What the CLI would have to download before it could run the stack's program."""
    from infra.platforms import plugins  # which loads the settings' models, and nobody without the CLI needs it

    environ = workspace.environ
    path = os.pathsep.join([str(cli.resolve().parent), environ.get("PATH", os.defpath)])
    home = Path(environ.get("PULUMI_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".pulumi")
    missing = [name for name in _BUNDLED if not shutil.which(name, path=path)]
    for plugin in plugins(_platform(workspace)):
        folder = home / "plugins" / f"resource-{plugin}-v{version(f'pulumi-{plugin}')}"
        if not folder.is_dir() and not shutil.which(f"pulumi-resource-{plugin}", path=path):
            missing.append(folder.name)
    return missing


def _platform(workspace: Workspace) -> str | None:
    """The kind that the stack's settings name; whether they are right is asked later."""
    try:
        config = yaml.safe_load(workspace.config_file.read_text(encoding="utf-8"))["config"]
        return str(config[f"{workspace.project}:platform"]["kind"])
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return None


_ENGINES: Final[Mapping[EngineName, str]] = {"embedded": "embedded engine", "pulumi": "official CLI"}
