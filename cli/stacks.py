"""`strata up`, `preview`, `refresh` and `destroy`: an engine's work, and what belongs before and after it."""

import threading
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import deletion, policies, smoke, state, summary
from cli.config import write_files
from cli.engines import Engine, Options, Outcome, choose
from cli.errors import CliError
from cli.official import OfficialCli
from cli.options import (
    DeleteDataOption,
    DiffOption,
    EngineOption,
    ExpectNoChangesOption,
    JsonOption,
    ParallelOption,
    PolicyPackConfigOption,
    PolicyPackOption,
    RefreshOption,
    StackOption,
    YesOption,
)
from cli.smoke import Smoke
from cli.state import Deployment, EngineName
from cli.terminal import Terminal
from engine.errors import ExitCode
from infra import reader
from infra.choices import FORMATS
from infra.workspace import Workspace, find

if TYPE_CHECKING:
    from infra.contract import StackContract


@dataclass(frozen=True, kw_only=True)
class Session:
    """One command on one stack."""

    workspace: Workspace
    terminal: Terminal
    engine: Engine
    name: EngineName


def up(
    stack: StackOption = "dev",
    yes: YesOption = False,
    parallel: ParallelOption = None,
    expect_no_changes: ExpectNoChangesOption = False,
    refresh: RefreshOption = False,
    policy_pack: PolicyPackOption = None,
    policy_pack_config: PolicyPackConfigOption = None,
    skip_smoke: Annotated[bool, typer.Option("--skip-smoke", help="Do not run the quick smoke tests.")] = False,
    diff: DiffOption = False,
    engine: EngineOption = None,
    json_output: JsonOption = False,
) -> None:
    """Create or update a stack, write its applications' configuration, and check that it works."""
    terminal = Terminal(json_output=json_output)
    workspace = find(stack)
    packs = policies.choose(workspace, policy_pack or (), policy_pack_config or ())
    ask = _ask(terminal, "update", yes=yes)
    before = state.read(workspace)
    session = _session(workspace, terminal, choose(workspace, before, engine))
    options = Options(
        ask=ask,
        parallel=parallel,
        expect_no_changes=expect_no_changes,
        refresh=refresh,
        policy_packs=packs,
        diff=diff,
        json_output=json_output,
    )
    with ExitStack() as started:
        started.enter_context(session.engine.warmed(options))
        from cli import images, project  # what they load is loaded while the program's interpreter starts

        settings = project.read_settings(workspace)
        applications = project.read_applications(workspace, settings)
        _announce(session)
        images.ensure(settings, terminal)
        # What comes after the engine gets ready while it works: it waits for servers most of the time.
        threading.Thread(target=import_module, args=("infra.config_files",), daemon=True).start()
        checks = None if skip_smoke else started.enter_context(smoke.prepared(workspace))
        outcome = _finish(session, session.engine.up(options))
        outputs = reader.read_outputs(workspace, show_secrets=True)
        contract = reader.parse(outputs, workspace)
        files = {
            name: write_files(workspace, contract, applications[name], FORMATS, "host")
            for name in contract.applications
            if name in applications
        }
        passed = None
        if checks:
            with terminal.progress("Checking the stack (quick smoke tests)"):
                passed = checks.run(outputs)
    _report_up(session, outcome, contract, files, passed, before, policies_ran=bool(packs))


def preview(
    stack: StackOption = "dev",
    parallel: ParallelOption = None,
    expect_no_changes: ExpectNoChangesOption = False,
    refresh: RefreshOption = False,
    policy_pack: PolicyPackOption = None,
    policy_pack_config: PolicyPackConfigOption = None,
    diff: DiffOption = False,
    engine: EngineOption = None,
    json_output: JsonOption = False,
) -> None:
    """Show what `up` would change, and change nothing."""
    workspace = find(stack)
    packs = policies.choose(workspace, policy_pack or (), policy_pack_config or ())
    session = _begin(workspace, Terminal(json_output=json_output), engine)
    options = Options(
        parallel=parallel,
        expect_no_changes=expect_no_changes,
        refresh=refresh,
        policy_packs=packs,
        diff=diff,
        json_output=json_output,
    )
    outcome = _finish(session, session.engine.preview(options))
    if json_output:
        session.terminal.document(_document(session, outcome))


def refresh(
    stack: StackOption = "dev",
    yes: YesOption = False,
    parallel: ParallelOption = None,
    diff: DiffOption = False,
    engine: EngineOption = None,
    json_output: JsonOption = False,
) -> None:
    """Record what the stack's resources are now. Changes none of them; `up --refresh` also repairs."""
    terminal = Terminal(json_output=json_output)
    workspace = find(stack)
    ask = _ask(terminal, "refresh", yes=yes)
    if state.read(workspace) is None:
        raise CliError(f"no stack `{stack}` in {workspace.backend_url}: nothing to refresh", ExitCode.STACK_NOT_FOUND)
    session = _begin(workspace, terminal, engine)
    options = Options(ask=ask, parallel=parallel, diff=diff, json_output=json_output)
    outcome = _finish(session, session.engine.refresh(options))
    if json_output:
        terminal.document(_document(session, outcome))


def destroy(
    stack: StackOption = "dev",
    yes: YesOption = False,
    parallel: ParallelOption = None,
    delete_data: DeleteDataOption = None,
    diff: DiffOption = False,
    engine: EngineOption = None,
    json_output: JsonOption = False,
) -> None:
    """Remove a stack's containers, networks and logins. Its data stays, and the next `up` finds it."""
    terminal = Terminal(json_output=json_output)
    workspace = find(stack)
    ask = _ask(terminal, "destroy", yes=yes)
    deployment = state.read(workspace)
    if deployment is None:
        raise CliError(f"no stack `{stack}` in {workspace.backend_url}: nothing to destroy", ExitCode.STACK_NOT_FOUND)
    doomed = delete_data or []
    deletion.check_names(doomed, deployment)
    session = _begin(workspace, terminal, engine)
    options = Options(ask=ask, parallel=parallel, diff=diff, json_output=json_output)
    if doomed:
        terminal.say(f"This deletes for good the data in the volumes {', '.join(doomed)}.", style="bold red")
        if ask and not terminal.confirm("Do you want to lose it?"):
            raise CliError("not confirmed: nothing was changed")
        with deletion.lifted(workspace, doomed) as once:
            lifting = _session(once, terminal, session.name)
            _finish(lifting, lifting.engine.up(replace(options, ask=False)))
    outcome = _finish(session, session.engine.destroy(options))
    kept = [name for name in deployment.data_volumes if name not in doomed]
    from infra import config_files

    removed = config_files.remove(stack)
    if json_output:
        facts = {"kept": kept, "deleted": list(doomed), "removed_files": [str(file) for file in removed]}
        terminal.document({**_document(session, outcome), **facts})
    else:
        summary.say_destroyed(terminal, workspace, kept, removed, list(doomed))


def _begin(workspace: Workspace, terminal: Terminal, wanted: EngineName | None) -> Session:
    """Chooses the engine, and says which one and where the state is before anything else."""
    session = _session(workspace, terminal, choose(workspace, state.read(workspace), wanted))
    _announce(session)
    return session


def _session(workspace: Workspace, terminal: Terminal, name: EngineName) -> Session:
    return Session(workspace=workspace, terminal=terminal, engine=_engine(name, workspace, terminal), name=name)


def _announce(session: Session) -> None:
    workspace, terminal = session.workspace, session.terminal
    terminal.say(f"Engine: {session.engine.title}. State: {workspace.backend_url}, stack {workspace.stack}.")
    if made := workspace.create_passphrase():
        terminal.say(f"New stack: its secrets are encrypted with the passphrase in {made}. Keep a copy of that file.")


def _engine(name: EngineName, workspace: Workspace, terminal: Terminal) -> Engine:
    if name == "pulumi":
        return OfficialCli(workspace, terminal)
    from cli.embedded import EmbeddedEngine  # half a second that the official CLI's user need not wait

    return EmbeddedEngine(workspace, terminal)


def _ask(terminal: Terminal, what: str, *, yes: bool) -> bool:
    """Whether to ask before changing anything. Raises CliError if the user's yes is missing and nobody is there."""
    if not yes and not terminal.interactive:
        raise CliError(f"--yes must be passed to proceed with the {what}: nobody can be asked here", ExitCode.BAD_USAGE)
    return not yes


def _finish(session: Session, outcome: Outcome) -> Outcome:
    """Ends the command where the engine failed: it has said why."""
    if outcome.exit_code:
        if session.terminal.json_output:
            session.terminal.document(_document(session, outcome))
        raise typer.Exit(outcome.exit_code)
    return outcome


def _document(session: Session, outcome: Outcome) -> dict[str, Any]:
    return {
        "stack": session.workspace.stack,
        "engine": session.engine.title,
        "state": session.workspace.backend_url,
        **outcome.report,
    }


def _report_up(
    session: Session,
    outcome: Outcome,
    contract: "StackContract",
    files: dict[str, list[Path]],
    checks: Smoke | None,
    before: Deployment | None,
    *,
    policies_ran: bool,
) -> None:
    before, after = before or Deployment({}), state.read(session.workspace) or Deployment({})
    data = summary.Data(
        volumes=after.retained_volumes,
        adopted=sorted(set(after.adopted_volumes) - set(before.adopted_volumes)),
        left=sorted(set(before.data_volumes) - set(after.data_volumes)),
    )
    if not session.terminal.json_output:
        summary.say_up(session.terminal, session.workspace, contract, files, checks, data, policies_ran=policies_ran)
        return
    session.terminal.document(
        {
            **_document(session, outcome),
            "backends": contract.backends.model_dump(mode="json", exclude_none=True),
            "config_files": {name: [str(path) for path in paths] for name, paths in files.items()},
            "data": data.volumes,
            "adopted": data.adopted,
            "left": data.left,
            "smoke": {"passed": checks.passed, "seconds": checks.seconds} if checks else None,
        }
    )
