"""The embedded engine's public interface.

What goes wrong before a run begins (lock, passphrase, configuration, unreadable state) is an EngineError, whose text
is the message. What goes wrong in a run is told to the display, and the result carries the exit code.
"""

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.display import JsonDisplay, TextDisplay, shown
from engine.errors import EngineError, ExitCode
from engine.events import Display, Message, Result, Step
from engine.options import Options, Workspace
from engine.program import Program
from engine.project import load_project

if TYPE_CHECKING:
    from engine.session import Session

__all__ = [
    "Display",
    "EngineError",
    "ExitCode",
    "JsonDisplay",
    "Message",
    "Options",
    "Program",
    "Result",
    "Step",
    "TextDisplay",
    "Workspace",
    "destroy",
    "outputs",
    "preview",
    "refresh",
    "start_program",
    "up",
]


def start_program(root: Path) -> Program:
    """An interpreter that imports the SDK already: for `preview` or `up` of a stack of the project in `root`, once.

    Whoever started it stops it, used or not. Raises EngineError.
    """
    project = load_project(root)
    return Program(project.python, project.program)


def preview(workspace: Workspace, options: Options, display: Display, *, program: Program | None = None) -> Result:
    """What `up` would do."""
    return _run(workspace, options, display, lambda session: session.preview(), program=program)


def up(workspace: Workspace, options: Options, display: Display, *, program: Program | None = None) -> Result:
    """Makes the stack what its program says. Runs the program dry first, and changes nothing if that fails."""
    return _run(workspace, options, display, lambda session: session.update(), program=program)


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
    program: Program | None = None,
) -> Result:
    project = load_project(workspace.root)
    with ExitStack() as stack:
        if uses_program and program is None:
            program = Program(project.python, project.program)
        if program is not None:
            stack.callback(program.stop)
        # Imported here because it takes a while, in which the program's interpreter imports the SDK.
        from engine.session import Session

        return command(stack.enter_context(Session(workspace, project, options, display, program)))


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
