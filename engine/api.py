"""The embedded engine's public interface.

What goes wrong before a run begins (lock, passphrase, configuration, unreadable state) is an EngineError, whose text
is the message. What goes wrong in a run is told to the display, and the result carries the exit code.
"""

import json
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from engine.display import TextDisplay
from engine.errors import EngineError, ExitCode
from engine.events import Display, Message, Result, Step
from engine.json_display import JsonDisplay, shown
from engine.options import Options, Workspace
from engine.policy_pack import PackChoice, load_pack
from engine.processes import Processes
from engine.project import Project, load_project

if TYPE_CHECKING:
    from engine.session import Session

__all__ = [
    "Display",
    "EngineError",
    "ExitCode",
    "JsonDisplay",
    "Message",
    "Options",
    "PackChoice",
    "Processes",
    "Result",
    "Step",
    "TextDisplay",
    "Workspace",
    "destroy",
    "outputs",
    "preview",
    "refresh",
    "start_processes",
    "text_display",
    "up",
]


def start_processes(root: Path, packs: Sequence[PackChoice] = ()) -> Processes:
    """Interpreters that import the SDK already: for `preview` or `up` of a stack of the project in `root`, once.

    Whoever started them stops them, used or not. Raises EngineError.
    """
    return _processes(load_project(root), packs)


def _processes(project: Project, packs: Sequence[PackChoice]) -> Processes:
    return Processes(project, [load_pack(choice, project.python) for choice in packs])


def text_display(out: TextIO, *, details: bool = False) -> TextDisplay:
    """For people: live where `out` is a terminal that can move its cursor. Its user closes it at the end."""
    if out.isatty() and os.environ.get("TERM") not in (None, "", "dumb"):
        from engine.live import LiveDisplay

        return LiveDisplay(out, details=details)
    return TextDisplay(out, details=details)


def preview(workspace: Workspace, options: Options, display: Display, *, processes: Processes | None = None) -> Result:
    """What `up` would do."""
    return _run(workspace, options, display, lambda session: session.preview(), processes=processes)


def up(workspace: Workspace, options: Options, display: Display, *, processes: Processes | None = None) -> Result:
    """Makes the stack what its program says. Runs the program dry first, and changes nothing if that fails."""
    return _run(workspace, options, display, lambda session: session.update(), processes=processes)


def destroy(workspace: Workspace, options: Options, display: Display) -> Result:
    """Deletes everything in the stack's state. Does not run the program."""
    return _run(workspace, options, display, lambda session: session.destroy(), uses_program=False)


def refresh(workspace: Workspace, options: Options, display: Display) -> Result:
    """Corrects the state to what is there. Does not run the program; records nothing if anything cannot be read."""
    return _run(workspace, options, display, lambda session: session.refresh(), uses_program=False)


def _run(
    workspace: Workspace,
    options: Options,
    display: Display,
    command: "Callable[[Session], Result]",
    *,
    uses_program: bool = True,
    processes: Processes | None = None,
) -> Result:
    project = load_project(workspace.root)
    with ExitStack() as stack:
        if uses_program and processes is None:
            processes = _processes(project, options.policy_packs)
        if processes is not None:
            stack.callback(processes.stop)
        # Imported here because it takes a while, in which the other processes import the SDK.
        from engine.session import Session

        return command(Session(workspace, project, options, display, processes))


def outputs(workspace: Workspace, *, show_secrets: bool) -> dict[str, Any]:
    """The stack's exports; without `show_secrets` the secret ones are "[secret]". Raises EngineError."""
    from engine.backend import StackFiles
    from engine.config import encryption_salt

    project = load_project(workspace.root)
    files = StackFiles(workspace.backend_url, project.name, workspace.stack)
    if not files.exists():
        raise EngineError(f"no stack named {workspace.stack!r} found", ExitCode.STACK_NOT_FOUND)
    file = workspace.config_file or project.config_file(workspace.stack)
    snapshot, _ = files.open(workspace.passphrase, salt=encryption_salt(file))
    result: dict[str, Any] = json.loads(json.dumps(shown(snapshot.stack_outputs, show_secrets=show_secrets)))
    return result
