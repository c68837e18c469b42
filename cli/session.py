"""One command on one stack: which engine carries it out, the first line that says so, and how it ends."""

from dataclasses import dataclass
from typing import Any

import typer

from cli import state
from cli.engines import Engine, Outcome, choose
from cli.errors import CliError
from cli.official import OfficialCli
from cli.state import EngineName
from cli.terminal import Terminal
from engine.errors import ExitCode
from infra.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Session:
    """One command on one stack."""

    workspace: Workspace
    terminal: Terminal
    engine: Engine
    name: EngineName


def begin(workspace: Workspace, terminal: Terminal, wanted: EngineName | None) -> Session:
    """Chooses the engine, and says which one and where the state is before anything else."""
    session = session_of(workspace, terminal, choose(workspace, state.read(workspace), wanted))
    announce(session)
    return session


def session_of(workspace: Workspace, terminal: Terminal, name: EngineName) -> Session:
    return Session(workspace=workspace, terminal=terminal, engine=_engine(name, workspace, terminal), name=name)


def announce(session: Session) -> None:
    workspace, terminal = session.workspace, session.terminal
    terminal.say(f"Engine: {session.engine.title}. State: {workspace.backend_url}, stack {workspace.stack}.")
    if made := workspace.create_passphrase():
        terminal.say(f"New stack: its secrets are encrypted with the passphrase in {made}. Keep a copy of that file.")


def _engine(name: EngineName, workspace: Workspace, terminal: Terminal) -> Engine:
    if name == "pulumi":
        return OfficialCli(workspace, terminal)
    from cli.embedded import EmbeddedEngine  # half a second that the official CLI's user need not wait

    return EmbeddedEngine(workspace, terminal)


def must_ask(terminal: Terminal, what: str, *, yes: bool) -> bool:
    """Whether to ask before changing anything. Raises CliError if the user's yes is missing and nobody is there."""
    if not yes and not terminal.interactive:
        raise CliError(f"--yes must be passed to proceed with the {what}: nobody can be asked here", ExitCode.BAD_USAGE)
    return not yes


def finish(session: Session, outcome: Outcome) -> Outcome:
    """Ends the command where the engine failed: it has said why."""
    if outcome.exit_code:
        if session.terminal.json_output:
            session.terminal.document(document(session, outcome))
        raise typer.Exit(outcome.exit_code)
    return outcome


def document(session: Session, outcome: Outcome) -> dict[str, Any]:
    return {
        "stack": session.workspace.stack,
        "engine": session.engine.title,
        "state": session.workspace.backend_url,
        **outcome.report,
    }
