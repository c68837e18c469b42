"""One command on one stack: the lock, the state, and one or two passes over the program."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace

from engine.analyzer import Analyzer
from engine.backend import StackFiles
from engine.config import StackConfig, encryption_salt, load_stack_config
from engine.deployment import Deployment, Target
from engine.doubts import tell_interrupted
from engine.errors import EngineError, ExitCode, StoppedError
from engine.events import COUNTED, Display, Kind, Mask, Recording, Reporter, Result, Severity, patience
from engine.execution import Run
from engine.findings import hide
from engine.hosting import opened_plugins
from engine.interrupt import on_interrupt
from engine.journal import Journal
from engine.options import Options, Workspace
from engine.outcome import Pass, exit_code
from engine.pack_process import Subject
from engine.plugins import Plugins
from engine.policies import Policies
from engine.processes import Processes, ProcessSet
from engine.program import Program
from engine.project import Project
from engine.providers.base import ProviderError
from engine.running import run_program
from engine.secrets import Vault
from engine.selection import Selection
from engine.state import Snapshot


class Session:
    """Carries one command out. The state is read once; passes build on it."""

    _before: Snapshot
    _vault: Vault
    _plugins: Plugins

    def __init__(
        self, workspace: Workspace, project: Project, options: Options, display: Display, processes: Processes | None
    ) -> None:
        """`processes` of the first pass are on their way; None for commands that run no program."""
        self._workspace, self._project, self._options, self._display = workspace, project, options, display
        self._processes = processes
        self.files = StackFiles(workspace.backend_url, project.name, workspace.stack)
        self._mask = Mask()
        self._begun = time.monotonic()
        self._seed = os.urandom(32)
        self._run: Run | None = None
        self._cancelled = False
        self._only_preview = False
        self._unread: frozenset[str] = frozenset()  # URNs, see engine.refresh
        self._selection = Selection(options.targets, dependents=options.target_dependents)

    def preview(self) -> Result:
        self._only_preview = True
        with self._opened():
            if failed := self._refreshed():
                return failed
            return self._pass("preview", self._display, dry=True).result

    def update(self) -> Result:
        return self._carry_out("update", uses_program=True)

    def destroy(self) -> Result:
        self._must_exist()
        return self._carry_out("destroy", uses_program=False)

    def refresh(self) -> Result:
        self._must_exist()
        with self._opened():
            begun, confirm = time.time(), self._options.confirm
            result = self._pass("refresh", self._display, dry=True).result
            if result.succeeded and (confirm is None or confirm(result)):
                if self._options.clear_pending_creates:
                    left = tuple(item for item in self._before.pending if item.type != "creating")
                    self._before = replace(self._before, pending=left)
                self.files.save(lambda: self._before, self._vault)
                self._add_to_history("refresh", result, begun)
            return result

    def _must_exist(self) -> None:
        if not self.files.exists():
            raise EngineError(f"no stack named {self._workspace.stack!r} found", ExitCode.STACK_NOT_FOUND)

    def _refreshed(self) -> Result | None:
        """With the option, what comes next builds on what is there. The result of a refresh that failed."""
        if not (self._options.refresh and self._before.resources):
            return None
        recording = Recording()
        result = self._pass("refresh", recording, dry=True).result
        if not result.succeeded:
            self._show(recording, result)
            return result
        for step in result.steps:
            if step.op != "same":
                found = f"{', '.join(step.changed)} changed" if step.op == "update" else "it is gone"
                self._note(f"refresh: {step.type} {step.name}: {found}")
        return None

    def _carry_out(self, kind: Kind, *, uses_program: bool) -> Result:
        """A dry pass, which refuses what cannot be done before anything is changed; then the real one."""
        with self._opened():
            begun = time.time()
            if failed := self._refreshed():
                return failed
            recording, confirm = Recording(), self._options.confirm
            plan: Kind = "preview" if uses_program else "preview-destroy"
            with nullcontext() if confirm else patience(self._display):
                dry = self._pass(plan, self._display if confirm else recording, dry=True)
            if not dry.result.succeeded:
                if not confirm:
                    self._show(recording, dry.result)
                return dry.result
            if confirm and not confirm(dry.result):
                return dry.result
            if dry.is_final:
                self.files.save(dry.journal.snapshot, self._vault)
                result = replace(dry.result, kind=kind)
                self._show(recording, result)
            else:
                self._display.plan(dry.result.steps)
                result = self._pass(kind, self._display, dry=False).result
            self._add_to_history(kind, result, begun)
            return result

    def _add_to_history(self, kind: Kind, result: Result, begun: float) -> None:
        try:
            self.files.add_history(
                kind if kind in ("destroy", "refresh") else "update",
                succeeded=result.succeeded,
                start=begun,
                end=time.time(),
                changes=result.changes,
                config=self._config.recorded,
            )
        except EngineError:
            if result.succeeded:  # else its own failure is what matters
                raise

    def _show(self, recording: Recording, result: Result) -> None:
        self._display.begin(result.kind, self._workspace.stack)
        recording.replay(self._display, self._mask)
        self._display.finish(result)

    @contextmanager
    def _opened(self) -> Iterator[None]:
        """Holds the lock. Raises EngineError for what keeps the stack from being read."""
        workspace, project = self._workspace, self._project
        file = workspace.config_file or project.config_file(workspace.stack)
        with self.files.lock(self._note):
            self._before, self._vault = self.files.open(workspace.passphrase, salt=encryption_salt(file))
            self._config: StackConfig = load_stack_config(project, workspace.stack, file, self._vault.decrypt)
            self._mask.learn(self._config.as_properties())
            self._mask.learn(*([entry.inputs, entry.outputs] for entry in self._before.resources))
            asked = (self._note, self._is_cancelled, self._idle)
            with opened_plugins(workspace, project, self._config, self._before, *asked) as self._plugins:
                yield

    def _note(self, line: str, severity: Severity = "info") -> None:
        """Said outside of any registration: by the lock, or by a dynamic provider's print."""
        run = self._run
        reporter = run.reporter if run is not None else Reporter(self._display, self._mask)
        reporter.message(severity, line)

    def _pass(self, kind: Kind, display: Display, *, dry: bool) -> Pass:
        started = self._processes.take() if self._processes and kind in ("preview", "update") else None

        def save(journal: Journal) -> None:
            if not dry:
                self.files.record(journal, self._vault)

        journal = Journal(self._before, save, partial=bool(self._selection))
        run = Run(
            dry=dry,
            journal=journal,
            reporter=Reporter(display, self._mask),
            plugins=self._plugins,
            seed=self._seed,
            slots=threading.Semaphore(self._options.parallel),
            unread=self._unread,
            continue_on_error=self._options.continue_on_error,
        )
        self._run = run
        run.policies = self._policies(started, dry=dry)
        if self._cancelled:
            run.stop.set()
        target = Target(project=self._project.name, stack=self._workspace.stack, config=self._config)
        deployment = Deployment(target, run, self._before.pending, self._options.parallel, self._selection)
        display.begin(kind, self._workspace.stack)
        try:
            with on_interrupt(self._cancel):
                tell_interrupted(run, uses_program=started is not None)
                if started:
                    self._run_program(started.program, deployment, run)
                if kind == "refresh":
                    refreshed = deployment.refresh(self._before)
                    self._before, self._unread = refreshed.snapshot, refreshed.unread
                elif not run.stop.is_set() and (run.goes_on or not run.failed):
                    deployment.finish()
            if violated := run.policies.verdict():
                run.fail(violated)
        except (EngineError, ProviderError) as error:
            run.fail(str(error))
        except StoppedError:
            pass  # cancelled while a policy looked at the whole stack
        finally:
            if started:
                started.stop()
        if not dry:
            self._save_whole(run)
        result = self._result(kind, run)
        display.finish(result)
        self._run = None
        return Pass(result, run, journal)

    def _save_whole(self, run: Run) -> None:
        """However the run ended: who knows nothing of logged steps can then read the state."""
        try:
            self.files.save(run.journal.snapshot, self._vault)
        except EngineError as error:
            run.fail(str(error))

    def _policies(self, started: ProcessSet | None, *, dry: bool) -> Policies:
        """The packs of a pass, which get ready while the program does."""
        if started is None:
            return Policies()
        config = self._config
        subject = Subject(
            project=self._project.name,
            stack=self._workspace.stack,
            dry=dry,
            config=config.values,
            secret_keys=config.secret_keys,
        )
        return Policies(
            [Analyzer(process, subject, self._note, self._is_cancelled) for process in started.packs], dry=dry
        )

    def _run_program(self, program: Program, deployment: Deployment, run: Run) -> None:
        def meanwhile() -> None:
            if self._processes and run.acted and run.dry and not self._only_preview:
                self._processes.warm()  # there will be a second pass

        run_program(
            program,
            deployment,
            run,
            project=self._project,
            stack=self._workspace.stack,
            config=self._config,
            parallel=self._options.parallel,
            meanwhile=meanwhile,
        )

    def _result(self, kind: Kind, run: Run) -> Result:
        changes: dict[str, int] = {op: run.reporter.changes[op] for op in COUNTED if run.reporter.changes[op]}
        judged = kind != "refresh" and (not run.dry or self._only_preview)
        unchanged = judged and self._options.expect_no_changes
        code = exit_code(run, kind, changes, cancelled=self._cancelled, expect_no_changes=unchanged)
        return Result(
            kind=kind,
            changes=changes,
            outputs=run.journal.snapshot().stack_outputs,
            outputs_before=self._before.stack_outputs,
            duration=time.monotonic() - self._begun,
            exit_code=int(code),
            messages=tuple(run.reporter.messages),
            steps=tuple(run.reporter.steps),
            policies=hide(run.policies.reports(), self._mask),
            config=self._config.as_properties(),
            mask=self._mask,
        )

    def _is_cancelled(self) -> bool:
        return self._cancelled

    def _idle(self) -> AbstractContextManager[None]:
        return self._run.idle() if self._run is not None and self._options.parallel > 1 else nullcontext()

    def _cancel(self) -> None:
        """Nothing new is begun; what is under way finishes and is recorded."""
        self._cancelled = True
        if self._run is not None:
            self._run.stop.set()
            self._run.reporter.message("info", "stopping: what is under way is finished first (again: end at once)")
