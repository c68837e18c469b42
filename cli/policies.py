"""Which policy packs an `up` or a `preview` runs: those that the user names, else the project's own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cli.errors import CliError
from engine.errors import ExitCode
from engine.policy_pack import PROJECT_FILE, PackChoice
from infra.workspace import Workspace

_OWN: Final = "policies"


def choose(workspace: Workspace, folders: Sequence[Path], configs: Sequence[Path]) -> tuple[PackChoice, ...]:
    """`configs` belong to `folders` in their order, or to the project's own pack. Raises CliError."""
    if not folders:
        own = workspace.root / _OWN
        folders = [own] if (own / PROJECT_FILE).exists() else []
    if configs and len(configs) != len(folders):
        raise CliError(
            f"--policy-pack-config is given {len(configs)} times, for {len(folders)} policy packs: give it once for "
            "each, in the same order",
            ExitCode.BAD_USAGE,
        )
    for folder in folders:
        if not (folder / PROJECT_FILE).exists():
            raise CliError(f"--policy-pack {folder}: there is no {PROJECT_FILE} in that folder", ExitCode.BAD_USAGE)
    for config in configs:
        if not config.is_file():
            raise CliError(f"--policy-pack-config {config}: there is no such file", ExitCode.BAD_USAGE)
    chosen = [*configs, *[None] * (len(folders) - len(configs))]
    return tuple(PackChoice(folder=folder, config=config) for folder, config in zip(folders, chosen, strict=True))
