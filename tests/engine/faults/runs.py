"""Whole runs of the engine whose program is a list of nodes: all of a session but the program's interpreter."""

import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

from engine import api, providers, secrets, session, steplog
from engine.backend import StackFiles
from engine.deployment import Deployment
from engine.errors import StoppedError
from engine.project import load_project
from engine.providers.base import Provider
from engine.state import ResourceState, Snapshot
from engine.values import plain
from tests.engine.direct import Registering
from tests.engine.faults.programs import Version, declare

PASSPHRASE = "correct horse"
Command = Literal["preview", "up", "destroy"]
Declare = Callable[[Registering], None]


@dataclass(frozen=True)
class Ended:
    """What a run came to."""

    code: int
    text: str
    changes: Mapping[str, int] = field(default_factory=dict)


class _NoProcess:
    """In the place of the processes of a pass."""

    program = None
    packs = ()

    def take(self) -> "_NoProcess":
        return self

    def warm(self) -> None:
        """There is nothing to start."""

    def stop(self) -> None:
        """There is nothing to stop."""


def run(
    folder: Path,
    version: Version | Declare,
    provider: Provider,
    *,
    command: Command = "up",
    refresh: bool = False,
    parallel: int = 8,
    large: bool = False,
    details: bool = False,
    as_json: bool = False,
) -> Ended:
    """`provider` is that of the package `test`. `large`: as if the state were, so that steps are logged.

    Raises EngineError for what keeps it from beginning.
    """
    if not (folder / "Pulumi.yaml").exists():
        draft = folder / f"{os.getpid()}.yaml"  # another engine may be about to read it
        draft.write_text("name: p\nruntime: python\n")
        draft.rename(folder / "Pulumi.yaml")

    def program(_: object, deployment: Deployment, run_: Any, **more: object) -> None:
        try:
            if callable(version):
                version(Registering(deployment))
            else:
                declare(Registering(deployment), version, parallel)
        except StoppedError:
            assert run_.failed

    with _set_up(provider, program, large=large):
        out = io.StringIO()
        options = replace(api.Options(), refresh=refresh, parallel=parallel)
        display = api.JsonDisplay(out) if as_json else api.TextDisplay(out, details=details)
        carried_out = session.Session(
            workspace(folder),
            load_project(folder),
            options,
            display,
            None if command == "destroy" else _NoProcess(),  # type: ignore[arg-type]  # a stand-in
        )
        commands = {"preview": carried_out.preview, "up": carried_out.update, "destroy": carried_out.destroy}
        result = commands[command]()
        return Ended(result.exit_code, out.getvalue(), result.changes)


def workspace(folder: Path) -> api.Workspace:
    return api.Workspace(root=folder, stack="dev", backend_url=(folder / "state").as_uri(), passphrase=PASSPHRASE)


def snapshot(folder: Path) -> Snapshot:
    with patch.object(secrets, "_ROUNDS", 1):
        return StackFiles((folder / "state").as_uri(), "p", "dev").open(PASSPHRASE)[0]


def normal(state: Snapshot) -> list[dict[str, Any]]:
    """What two states of the same stack have in common, whatever befell them: no times, process ids or order."""
    return sorted((_normal(entry) for entry in state.resources), key=lambda entry: (entry["urn"], entry["delete"]))


def _normal(entry: ResourceState) -> dict[str, Any]:
    outputs = {key: value for key, value in plain(entry.outputs).items() if key != "pid"}
    return {
        "urn": entry.urn,
        "delete": entry.delete,
        "id": "" if entry.is_provider else entry.id,
        "inputs": plain(entry.inputs),
        "outputs": outputs,
        "parent": entry.parent,
        "dependencies": sorted(entry.dependencies),
        "property_dependencies": {key: sorted(value) for key, value in entry.property_dependencies.items() if value},
        "retain": entry.retain_on_delete,
        "pending_replacement": entry.pending_replacement,
        "init_errors": entry.init_errors,
        "protect": entry.protect,
    }


@contextmanager
def _set_up(provider: Provider, program: Callable[..., None], *, large: bool) -> Iterator[None]:
    with (
        patch.object(secrets, "_ROUNDS", 1),  # a quarter of a second each, and no test of these is about it
        patch.object(session, "run_program", program),
        patch.dict(providers.OPENERS, {"test": lambda host: provider}),
        patch.object(steplog, "LARGE", 0 if large else steplog.LARGE),
        patch.object(steplog, "SHARE", 1_000_000 if large else steplog.SHARE),
    ):
        yield
