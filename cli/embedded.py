"""Drives the embedded engine, in this process."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from functools import partial

from cli.engines import Options, Outcome
from cli.errors import CliError
from cli.terminal import Terminal
from engine import api
from infra.reader import engine_workspace
from infra.workspace import Workspace

_Operation = Callable[[api.Workspace, api.Options, api.Display], api.Result]


class EmbeddedEngine:
    """The engine behind `--engine embedded`."""

    def __init__(self, workspace: Workspace, terminal: Terminal) -> None:
        self._workspace, self._terminal = workspace, terminal
        self._processes: api.Processes | None = None

    @property
    def title(self) -> str:
        return "embedded"

    @contextmanager
    def warmed(self, options: Options) -> Iterator[None]:
        with ExitStack() as started:
            with suppress(api.EngineError):  # told by the operation itself, unless something else is wrong before that
                self._processes = api.start_processes(self._workspace.root, options.policy_packs)
                started.callback(self._processes.stop)
            yield

    def preview(self, options: Options) -> Outcome:
        return self._run(self._with_processes(api.preview), options)

    def up(self, options: Options) -> Outcome:
        return self._run(self._with_processes(api.up), options, question="Do you want to perform this update?")

    def destroy(self, options: Options) -> Outcome:
        return self._run(api.destroy, options, question="Do you want to perform this destroy?")

    def refresh(self, options: Options) -> Outcome:
        return self._run(api.refresh, options, question="Do you want to record this in the state?")

    def _with_processes(self, operation: Callable[..., api.Result]) -> _Operation:
        """Those that are warm are used up by this."""
        processes, self._processes = self._processes, None
        return partial(operation, processes=processes)

    def _run(self, operation: _Operation, options: Options, question: str = "") -> Outcome:
        def confirm(_: api.Result) -> bool:
            if not self._terminal.confirm(question):
                raise CliError("not confirmed: nothing was changed")
            return True

        settings = api.Options(
            expect_no_changes=options.expect_no_changes,
            refresh=options.refresh,
            confirm=confirm if options.ask and question else None,
            targets=options.targets,
            target_dependents=options.target_dependents,
            clear_pending_creates=options.clear_pending_creates,
            continue_on_error=options.continue_on_error,
            policy_packs=options.policy_packs,
        )
        if options.parallel:
            settings = replace(settings, parallel=options.parallel)
        report = io.StringIO()
        workspace = engine_workspace(self._workspace)
        if options.json_output:
            result = operation(workspace, settings, api.JsonDisplay(report))
        else:
            with closing(api.text_display(sys.stdout, details=options.diff)) as display:
                result = operation(workspace, settings, display)
        return Outcome(exit_code=result.exit_code, report=json.loads(report.getvalue() or "{}"))
