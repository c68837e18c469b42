"""Carrying out one step: the provider's call, what is recorded before and after it, and what is told."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from engine import providers
from engine.errors import EngineError, StoppedError
from engine.events import Op, Reporter
from engine.journal import Journal
from engine.planning import call_of
from engine.plugins import Plugins, ProviderResources
from engine.policies import Policies
from engine.providers.base import Old, PartialFailure, Provider, ProviderError
from engine.state import OperationType, PendingOperation, ResourceState
from engine.telling import differing_places, hidden, report_replaced, step_of
from engine.values import INPUTS, UNKNOWN_TEXT, Properties, Secret, carry_secrets, mark_secrets, plain


class StepFailedError(StoppedError):
    """One step failed, as was told, and the run goes on without it and what depends on it."""


@dataclass
class Run:
    """What every part of one pass shares. `dry` passes plan with the same code and change nothing."""

    dry: bool
    journal: Journal
    reporter: Reporter
    plugins: Plugins
    seed: bytes  # the same in the dry pass and in the real one, so that generated names are too
    slots: threading.Semaphore  # provider operations at once
    stop: threading.Event = field(default_factory=threading.Event)
    failed: bool = False
    acted: bool = False  # something was created, updated or deleted (or would be)
    unread: frozenset[str] = frozenset()  # URNs that a refresh could not ask for
    continue_on_error: bool = False
    policies: Policies = field(default_factory=Policies)
    _told: set[str] = field(default_factory=set)

    def check_running(self) -> None:
        if self.stop.is_set():
            raise StoppedError

    @contextmanager
    def idle(self) -> Iterator[None]:
        """Around what only waits: its slot is others' meanwhile."""
        self.slots.release()
        try:
            yield
        finally:
            self.slots.acquire()

    @property
    def goes_on(self) -> bool:
        """Whether a step that fails leaves the others alone. A dry pass has to succeed as a whole."""
        return self.continue_on_error and not self.dry

    def fail(self, text: str, urn: str = "", *, stop: bool = True) -> None:
        """Report one error and begin nothing new; what is under way finishes and is recorded.

        With `stop=False` the run goes on, and has failed all the same.
        """
        self.failed = True
        if stop:
            self.stop.set()
        if text not in self._told:  # a full disk, say, fails every operation that is under way
            self._told.add(text)
            self.reporter.message("error", text, urn)

    def warn(self, text: str, urn: str = "") -> None:
        self.reporter.message("warning", text, urn)

    def provider(self, resource_type: str, reference: str, inputs_of: Callable[[str], Properties]) -> Provider | None:
        """The provider of a resource; `inputs_of` finds a provider resource's inputs by its reference."""
        if resource_type.startswith("pulumi:providers:"):
            return ProviderResources(self.plugins, dry=self.dry)
        return self.plugins.of_package(resource_type.split(":", 1)[0], inputs_of(reference))


class Executor:
    """Creates, updates, deletes; or, in a dry pass, says what it would do."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def same(self, old: ResourceState, new: ResourceState) -> ResourceState:
        """Keeps id and outputs; inputs, dependencies and options are the program's new ones."""
        done = replace(new, id=old.id, outputs=old.outputs, created=old.created, modified=old.modified)
        done = guard_secrets(done)
        self._run.journal.record(done, supersedes=old)
        self._run.reporter.step(step_of("same", "done", done, old=old, new=done), counted=not hidden(done))
        return done

    def keep(self, old: ResourceState) -> ResourceState:
        """As `same`, and inputs, dependencies and options are the old ones, too: nothing supersedes the entry."""
        done = self._run.journal.now(old)
        self._run.reporter.step(step_of("same", "done", done, old=old, new=done), counted=not hidden(done))
        return done

    def read(self, old: ResourceState | None, new: ResourceState, provider: Provider | None) -> ResourceState:
        """Looks at what is not this stack's own. An object of the stack that had its place is deleted at the end."""
        run = self._run
        with run.slots:
            run.check_running()
            begun = time.monotonic()
            found: Old | None = None
            if provider is not None and new.id != UNKNOWN_TEXT:
                inputs = plain(new.inputs)
                found = provider.read(call_of(new, run.seed, "read"), Old(new.id, inputs, inputs))
                if found is None:
                    raise ProviderError(f"{new.type} {new.name!r}: there is none with the id {new.id!r}")
        done = replace(new, id="", outputs={})  # its id is not known yet
        if found is not None:
            done = guard_secrets(replace(new, id=found.id, outputs=carry_secrets(found.outputs, new.inputs)))
        replaced = old is not None and not old.external and old.id != done.id
        if old is not None and replaced:
            run.journal.mark(old, delete=True)
        run.journal.record(done, supersedes=None if replaced else old)
        run.reporter.mask.learn(done.outputs)
        run.acted = run.acted or replaced or found is None
        run.reporter.step(step_of("read", "done", done, seconds=time.monotonic() - begun, old=old, new=done))
        if old is not None and replaced:
            report_replaced(run.reporter, old, done, (), ("id",))
        return done

    def create(
        self, new: ResourceState, provider: Provider | None, *, replaces: ResourceState | None = None, note: str = ""
    ) -> ResourceState:
        """`replaces` is an entry that was deleted already (pending replacement) or is deleted at the end."""
        op: Op = "create" if replaces is None else "create-replacement"
        gone = replaces is not None and self._run.journal.now(replaces).pending_replacement
        with self._performing(op, new, "creating", old=replaces, note=note) as step:
            id, outputs, errors = self._create(new, provider) if new.custom else ("", {}, ())
            now = _now()
            done = guard_secrets(replace(new, id=id, outputs=outputs, init_errors=errors, created=now, modified=now))
            step.new = done
            if replaces is not None and not gone:
                self._run.journal.mark(replaces, delete=True)
            self._run.journal.record(done, supersedes=replaces if gone else None, operation=step.operation)
            self._run.reporter.mask.learn(done.outputs)
            if errors:
                raise ProviderError("; ".join(errors))
        return done

    def _create(self, new: ResourceState, provider: Provider | None) -> tuple[str, Properties, tuple[str, ...]]:
        if provider is None:
            return "", {}, ()
        if self._run.dry and not new.is_provider:
            return "", new.inputs, ()
        try:
            id, outputs = provider.create(call_of(new, self._run.seed, "create"), plain(new.inputs))
        except PartialFailure as failure:
            return failure.id, carry_secrets(failure.outputs, new.inputs), tuple(failure.reasons)
        if not id:
            raise ProviderError("the provider returned no id for what it created")
        return id, carry_secrets(outputs, new.inputs), ()

    def update(
        self, old: ResourceState, new: ResourceState, provider: Provider | None, changed: tuple[str, ...]
    ) -> ResourceState:
        new = replace(new, id=old.id, outputs=old.outputs, created=old.created)
        with self._performing("update", new, "updating", changed=changed, old=old) as step:
            outputs, errors = self._update(old, new, provider) if new.custom else (old.outputs, ())
            done = step.new = guard_secrets(replace(new, outputs=outputs, init_errors=errors, modified=_now()))
            self._run.journal.record(done, supersedes=old, operation=step.operation)
            self._run.reporter.mask.learn(done.outputs)
            if errors:
                raise ProviderError("; ".join(errors))
        return done

    def _update(
        self, old: ResourceState, new: ResourceState, provider: Provider | None
    ) -> tuple[Properties, tuple[str, ...]]:
        if provider is None:
            return {}, ()
        if self._run.dry and new.package in providers.WITHOUT_PREVIEW and not new.is_provider:
            return new.inputs, ()
        if self._run.dry and not new.is_provider:
            return {**old.outputs, **new.inputs}, ()
        before = Old(old.id, plain(old.inputs), plain(old.outputs))
        try:
            outputs = provider.update(call_of(new, self._run.seed, "update"), before, plain(new.inputs))
        except PartialFailure as failure:
            return carry_secrets(failure.outputs, new.inputs), tuple(failure.reasons)
        return carry_secrets(outputs, new.inputs), ()

    def delete(self, old: ResourceState, provider: Provider | None, *, op: Op, note: str, replacing: bool) -> None:
        """`note` says why nothing is asked of the provider (such as "retained"); `replacing` leaves a placeholder."""
        calls = old.custom and not old.is_provider and not note
        with self._performing(op, old, "deleting" if calls else None, old=old, note=note) as step:
            if calls and provider is not None and not self._run.dry:
                state = Old(old.id, plain(old.inputs), plain(old.outputs))
                provider.delete(call_of(old, self._run.seed, "delete"), state)
            if replacing:
                self._run.journal.mark(old, pending_replacement=True, operation=step.operation)
            else:
                self._run.journal.drop(old, step.operation)

    @contextmanager
    def _performing(
        self,
        op: Op,
        resource: ResourceState,
        kind: OperationType | None,
        *,
        changed: tuple[str, ...] = (),
        old: ResourceState | None = None,
        note: str = "",
    ) -> Iterator["_Performing"]:
        """Waits for a slot; tells start and end; saves the state before the call and after it."""
        run = self._run
        shown = not hidden(resource)
        details: dict[str, Any] = {
            "changed": changed,
            "note": note,
            "old": old,
            "differences": differing_places(old, resource, changed),
        }
        performing = _Performing(None if op in ("delete", "delete-replaced", "discard") else resource)
        with run.slots:
            run.check_running()
            run.acted = True
            begun = time.monotonic()
            if not run.dry:
                run.reporter.step(step_of(op, "start", resource, new=performing.new, **details), counted=shown)
            try:
                if kind and resource.custom and not resource.is_provider and not run.dry:
                    performing.operation = run.journal.begin(resource, kind)
                yield performing
                if not run.dry:
                    run.journal.flush()
            except Exception as error:
                seconds = time.monotonic() - begun
                step = step_of(op, "failed", resource, seconds=seconds, new=performing.new, **details)
                run.reporter.step(step, counted=shown)
                if performing.operation is not None:
                    run.journal.abandon(performing.operation)
                if not run.dry:
                    with suppress(EngineError):  # the failure that is told is the first one
                        run.journal.flush()
                if isinstance(error, EngineError):  # such as that nothing can be recorded any more
                    run.fail(str(error))
                    raise StoppedError from error
                run.fail(_text(error), resource.urn, stop=not run.goes_on)
                raise (StepFailedError if run.goes_on else StoppedError) from error
            seconds = time.monotonic() - begun
            step = step_of(op, "done", resource, seconds=seconds, new=performing.new, **details)
            run.reporter.step(step, counted=shown)


@dataclass
class _Performing:
    new: ResourceState | None  # what it leaves in the state, the newest that is known
    operation: PendingOperation | None = None


def _text(error: Exception) -> str:
    return str(error) if isinstance(error, ProviderError) else f"{type(error).__name__}: {error}"


def guard_secrets(resource: ResourceState) -> ResourceState:
    """Marks outputs that the program calls secret, or that carry the name of a secret input."""
    names = {key for key, value in resource.inputs.items() if isinstance(value, Secret)}
    names.update(name for name in resource.additional_secret_outputs if name != "id")
    outputs = mark_secrets(resource.outputs, names) if names else resource.outputs
    copy = outputs.get(INPUTS)
    if isinstance(copy, Mapping):  # beside what became of them, some providers record the inputs
        outputs = {**outputs, INPUTS: carry_secrets(copy, resource.inputs)}
    return replace(resource, outputs=outputs)


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
