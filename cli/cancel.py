"""`strata cancel`: removes the lock that an update left behind when it was cut off."""

import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli import state
from cli.errors import CliError
from cli.options import StackOption, YesOption
from cli.session import must_ask
from cli.terminal import Terminal
from infra.workspace import Workspace, find

if TYPE_CHECKING:
    from engine.lock import Holder


def cancel(stack: StackOption = "dev", yes: YesOption = False) -> None:
    """Remove a stack's lock whose update runs no more. Says whose it is, and asks first."""
    from engine.backend import StackFiles  # a while that other commands need not wait
    from engine.lock import locks, remove

    workspace, terminal = find(stack), Terminal()
    if workspace.state_file is None:
        raise typer.Exit(_cancel_shared(workspace, yes=yes))
    found = list(locks(StackFiles(workspace.backend_url, workspace.project, workspace.stack).lock_folder))
    if not found:
        terminal.say(f"The stack {workspace.stack} is not locked.")
        return
    for file, holder in found:
        terminal.say(f"The stack {workspace.stack} is locked by {_whose(file, holder)}")
    if running := [holder for _, holder in found if holder is not None and holder.is_running()]:
        pids = " ".join(str(holder.pid) for holder in running)
        raise CliError(
            f"that update is running. To end it: kill -INT {pids} (it finishes what is under way and unlocks the stack)"
        )
    question = "If that update still runs, two would write one state. Remove the lock?"
    if must_ask(terminal, "removal of the lock", yes=yes) and not terminal.confirm(question):
        raise CliError("not confirmed: the stack is still locked")
    for file, _ in found:
        remove(file)
    state.fold(workspace, terminal.say)
    terminal.say(f"Removed. `strata preview --stack {workspace.stack}` shows what that update left undone.")


def _whose(file: Path, holder: "Holder | None") -> str:
    if holder is None:
        return f"{file}, which does not say by whom."
    if holder.is_running():
        return f"{holder}, which is running."
    if holder.is_gone():
        return f"{holder}; that process is gone."
    if holder.host == socket.gethostname():
        return f"{holder}; there is a process with that id, which may be another one by now."
    return f"{holder}; whether that process is running is known on that host only."


def _cancel_shared(workspace: Workspace, *, yes: bool) -> int:
    command = ["pulumi", "cancel", workspace.stack, *(["--yes"] if yes else [])]
    environ = {**workspace.environ, "PULUMI_BACKEND_URL": workspace.backend_url}
    try:
        return subprocess.run(command, cwd=workspace.root, env=environ, check=False).returncode
    except FileNotFoundError:
        raise CliError(f"{workspace.backend_url} is shared state: install the `pulumi` command") from None
