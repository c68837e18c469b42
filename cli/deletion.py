"""`destroy --delete-data`: an `up` that lifts the retention of some volumes comes first, as with plain `pulumi`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import yaml

from cli.errors import CliError
from cli.state import Deployment
from components import privatefiles
from engine.errors import ExitCode
from infra.workspace import Workspace


def check_names(names: Sequence[str], deployment: Deployment) -> None:
    """Raises CliError for a name that is no volume of the stack, before anything is changed."""
    known = deployment.data_volumes
    if unknown := [name for name in names if name not in known]:
        raise CliError(
            f"--delete-data {', '.join(unknown)}: the stack has no such data. It has: {', '.join(known) or 'none'}",
            ExitCode.BAD_USAGE,
        )


@contextmanager
def lifted(workspace: Workspace, names: Sequence[str]) -> Iterator[Workspace]:
    """The workspace with a private copy of its settings, in which `strata:delete_data` has `names`."""
    settings = yaml.safe_load(workspace.config_file.read_text(encoding="utf-8"))
    settings["config"][f"{workspace.project}:delete_data"] = list(names)
    copy = privatefiles.state_home() / "delete-data" / workspace.config_file.name
    privatefiles.replace(copy, yaml.safe_dump(settings, sort_keys=False))
    try:
        yield replace(workspace, config_copy=copy)
    finally:
        copy.unlink(missing_ok=True)
