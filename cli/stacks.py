"""`strata up`, `preview`, `refresh` and `destroy`: an engine's work, and what belongs before and after it."""

import threading
from contextlib import ExitStack
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import deletion, policies, smoke, state, summary
from cli.config import Place, write_files
from cli.engines import Options, Outcome, choose
from cli.errors import CliError
from cli.options import (
    ClearPendingCreatesOption,
    ContinueOnErrorOption,
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
    TargetDependentsOption,
    TargetOption,
    YesOption,
)
from cli.session import Session, announce, begin, document, finish, must_ask, session_of
from cli.smoke import Smoke
from cli.state import Deployment
from cli.terminal import Terminal
from engine.errors import ExitCode
from infra import reader
from infra.choices import FORMATS
from infra.workspace import find

if TYPE_CHECKING:
    from infra.contract import StackContract


def up(
    stack: StackOption = "dev",
    yes: YesOption = False,
    parallel: ParallelOption = None,
    expect_no_changes: ExpectNoChangesOption = False,
    refresh: RefreshOption = False,
    target: TargetOption = None,
    target_dependents: TargetDependentsOption = False,
    continue_on_error: ContinueOnErrorOption = False,
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
    ask = must_ask(terminal, "update", yes=yes)
    before = state.read(workspace)
    session = session_of(workspace, terminal, choose(workspace, before, engine))
    options = Options(
        ask=ask,
        parallel=parallel,
        expect_no_changes=expect_no_changes,
        refresh=refresh,
        targets=_targets(target, target_dependents),
        target_dependents=target_dependents,
        continue_on_error=continue_on_error,
        policy_packs=packs,
        diff=diff,
        json_output=json_output,
    )
    with ExitStack() as started:
        started.enter_context(session.engine.warmed(options))
        from cli import images, project  # what they load is loaded while the program's interpreter starts

        settings = project.read_settings(workspace)
        applications = project.read_applications(workspace, settings)
        announce(session)
        images.ensure(settings, terminal)
        # What comes after the engine gets ready while it works: it waits for servers most of the time.
        threading.Thread(target=import_module, args=("infra.rendering",), daemon=True).start()
        checks = None if skip_smoke else started.enter_context(smoke.prepared(workspace))
        outcome = finish(session, session.engine.up(options))
        outputs = reader.read_outputs(workspace, show_secrets=True)
        try:
            contract = reader.parse(outputs, workspace)
        except reader.ContractError:
            if not options.targets:
                raise
            _report_part(session, outcome, "configuration files and checks need all of it")
            return
        files = {
            name: write_files(workspace, contract, applications[name], FORMATS, Place())
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
    target: TargetOption = None,
    target_dependents: TargetDependentsOption = False,
    policy_pack: PolicyPackOption = None,
    policy_pack_config: PolicyPackConfigOption = None,
    diff: DiffOption = False,
    engine: EngineOption = None,
    json_output: JsonOption = False,
) -> None:
    """Show what `up` would change, and change nothing."""
    workspace = find(stack)
    targets = _targets(target, target_dependents)
    packs = policies.choose(workspace, policy_pack or (), policy_pack_config or ())
    session = begin(workspace, Terminal(json_output=json_output), engine)
    options = Options(
        parallel=parallel,
        expect_no_changes=expect_no_changes,
        refresh=refresh,
        targets=targets,
        target_dependents=target_dependents,
        policy_packs=packs,
        diff=diff,
        json_output=json_output,
    )
    outcome = finish(session, session.engine.preview(options))
    if json_output:
        session.terminal.document(document(session, outcome))


def refresh(
    stack: StackOption = "dev",
    yes: YesOption = False,
    parallel: ParallelOption = None,
    target: TargetOption = None,
    target_dependents: TargetDependentsOption = False,
    clear_pending_creates: ClearPendingCreatesOption = False,
    diff: DiffOption = False,
    engine: EngineOption = None,
    json_output: JsonOption = False,
) -> None:
    """Record what the stack's resources are now. Changes none of them; `up --refresh` also repairs."""
    terminal = Terminal(json_output=json_output)
    workspace = find(stack)
    ask = must_ask(terminal, "refresh", yes=yes)
    if state.read(workspace) is None:
        raise CliError(f"no stack `{stack}` in {workspace.backend_url}: nothing to refresh", ExitCode.STACK_NOT_FOUND)
    targets = _targets(target, target_dependents)
    session = begin(workspace, terminal, engine)
    options = Options(
        ask=ask,
        parallel=parallel,
        targets=targets,
        target_dependents=target_dependents,
        clear_pending_creates=clear_pending_creates,
        diff=diff,
        json_output=json_output,
    )
    outcome = finish(session, session.engine.refresh(options))
    if json_output:
        terminal.document(document(session, outcome))


def destroy(
    stack: StackOption = "dev",
    yes: YesOption = False,
    parallel: ParallelOption = None,
    delete_data: DeleteDataOption = None,
    target: TargetOption = None,
    target_dependents: TargetDependentsOption = False,
    continue_on_error: ContinueOnErrorOption = False,
    diff: DiffOption = False,
    engine: EngineOption = None,
    json_output: JsonOption = False,
) -> None:
    """Remove a stack's containers, networks and logins. Its data stays, and the next `up` finds it."""
    terminal = Terminal(json_output=json_output)
    workspace = find(stack)
    ask = must_ask(terminal, "destroy", yes=yes)
    deployment = state.read(workspace)
    if deployment is None:
        raise CliError(f"no stack `{stack}` in {workspace.backend_url}: nothing to destroy", ExitCode.STACK_NOT_FOUND)
    doomed = delete_data or []
    deletion.check_names(doomed, deployment)
    targets = _targets(target, target_dependents)
    if doomed and targets:
        raise CliError("--delete-data destroys the whole stack: leave --target out", ExitCode.BAD_USAGE)
    session = begin(workspace, terminal, engine)
    options = Options(
        ask=ask,
        parallel=parallel,
        targets=targets,
        target_dependents=target_dependents,
        continue_on_error=continue_on_error,
        diff=diff,
        json_output=json_output,
    )
    if doomed:
        terminal.say(f"This deletes for good the data in the volumes {', '.join(doomed)}.", style="bold red")
        if ask and not terminal.confirm("Do you want to lose it?"):
            raise CliError("not confirmed: nothing was changed")
        with deletion.lifted(workspace, doomed) as once:
            lifting = session_of(once, terminal, session.name)
            finish(lifting, lifting.engine.up(replace(options, ask=False)))
    outcome = finish(session, session.engine.destroy(options))
    if targets:
        _report_part(session, outcome, "the rest of it stays, and so do its configuration files")
        return
    kept = [name for name in deployment.data_volumes if name not in doomed]
    from infra import config_files

    removed = config_files.remove(stack)
    if json_output:
        facts = {"kept": kept, "deleted": list(doomed), "removed_files": [str(file) for file in removed]}
        terminal.document({**document(session, outcome), **facts})
    else:
        summary.say_destroyed(terminal, workspace, kept, removed, list(doomed))


def _targets(target: list[str] | None, dependents: bool) -> tuple[str, ...]:
    if dependents and not target:
        raise CliError("--target-dependents says more of --target: give that, too", ExitCode.BAD_USAGE)
    return tuple(target or ())


def _report_part(session: Session, outcome: Outcome, rest: str) -> None:
    """After a run on a part of the stack."""
    if session.terminal.json_output:
        session.terminal.document(document(session, outcome))
    else:
        session.terminal.say(f"\nThis was a part of the stack {session.workspace.stack}: {rest}.")


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
            **document(session, outcome),
            "backends": contract.backends.model_dump(mode="json", exclude_none=True),
            "config_files": {name: [str(path) for path in paths] for name, paths in files.items()},
            "data": data.volumes,
            "adopted": data.adopted,
            "left": data.left,
            "smoke": {"passed": checks.passed, "seconds": checks.seconds} if checks else None,
        }
    )
