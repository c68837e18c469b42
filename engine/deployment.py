"""One pass over a program: each registration becomes a step, and what was not registered is deleted at the end."""

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from engine.deletion import delete_all
from engine.doubts import Doubts
from engine.errors import StoppedError
from engine.execution import Executor, Run, StepFailedError
from engine.goal import Goal
from engine.planning import call_of, check, decide, keep_ignored
from engine.providers.base import Call, Provider, ProviderError
from engine.refresh import Refreshed, refresh
from engine.registry import Registry, Target
from engine.replacement import Replacer
from engine.scope import Reason, Scope
from engine.selection import Selection
from engine.state import PendingOperation, ResourceState, Snapshot
from engine.telling import report_replaced
from engine.values import Properties, contains_unknown, plain

__all__ = ["Deployment", "Target"]


_Act = Callable[[Goal, ResourceState | None, ResourceState], ResourceState]


class Deployment:
    """Registrations arrive from many threads; each blocks its caller until its step is done."""

    def __init__(
        self,
        target: Target,
        run: Run,
        interrupted: tuple[PendingOperation, ...],
        parallel: int,
        selection: Selection = Selection(),  # noqa: B008 - frozen
    ) -> None:
        self._run, self._parallel, self._selection = run, parallel, selection
        self._executor = Executor(run)
        self._replacer = Replacer(run, self._executor, self._provider_of)
        self._scope = Scope(selection)
        olds = {entry.urn: entry for entry in run.journal.older() if not entry.delete}
        self._registry = Registry(target, olds, self.register)
        self._doubts = Doubts(run, interrupted)
        self._lock = threading.Lock()
        self._replaced: set[str] = set()
        self._exports: Properties | None = None

    @property
    def root(self) -> str:
        """The URN of the stack, once it is registered."""
        return self._registry.root

    def register(self, goal: Goal) -> ResourceState:
        """Raises StoppedError once the run has failed; the reason is told by then. See `left_out`."""
        return self._answer(goal, self._act)

    def read(self, goal: Goal, id: str) -> ResourceState:
        """A resource that is not the stack's own. As `register`."""
        return self._answer(goal, partial(self._read, id))

    def _answer(self, goal: Goal, act: _Act) -> ResourceState:
        self._run.check_running()
        self._run.reporter.mask.learn(goal.inputs)
        urn = ""
        try:
            goal = self._registry.placed(goal)
            urn = self._registry.urn(goal)
            old = self._registry.claim(urn, goal)
            goal = replace(goal, provider=self._registry.reference(goal))
            new = goal.entry(urn, alias=old.urn if old and old.urn != urn else "")
            done = act(goal, old, new)
        except StoppedError:
            raise
        except Exception as error:
            self._run.fail(_text(error), urn)
            raise StoppedError from error
        self._registry.settle(done.urn, goal)
        return done

    def left_out(self, urn: str) -> Reason | None:
        """Why a registered resource is not as the program wants it; its outputs are then unknown. Mostly None."""
        return self._scope.why(urn)

    def register_outputs(self, urn: str, outputs: Properties) -> None:
        """The stack's are whole only when the program has ended well: until then, old ones stay beside new ones."""
        if self.left_out(urn):
            return
        self._run.reporter.mask.learn(outputs)
        before = self.find(urn)
        old = before.outputs if before else {}
        if not self._run.dry:  # what is left out has no outputs to export
            known = {key: value for key, value in outputs.items() if not contains_unknown(value)}
            outputs = {**{key: old[key] for key in outputs if key in old}, **known}
        if urn == self.root:
            self._exports = outputs
            outputs = {**old, **outputs}
        self._run.journal.set_outputs(urn, outputs)

    def invoke(self, token: str, args: Properties, reference: str, version: str) -> Properties:
        """A provider's function. Raises ProviderError."""
        goal = Goal(type=token, name="", custom=True, provider=reference, version=version)
        provider = self._run.provider(token, self._registry.reference(goal), self._provider_inputs)
        if provider is None:
            raise ProviderError(f"{token}: the provider's configuration is not known yet")
        return provider.invoke(token, plain(args))

    def find(self, urn: str) -> ResourceState | None:
        return self._run.journal.find(urn)

    def finish(self) -> None:
        """After a program that ended well: deletes what it did not register. Raises ProviderError."""
        if not self._scope.is_real(self._run, self._registry.urns):
            return
        delete_all(
            self._run,
            self._executor,
            self._provider_of,
            self._replacer.deleted,
            self._parallel,
            kept=self._scope.kept,
            selection=self._selection,
        )
        if self._run.failed or self._run.stop.is_set():
            return
        if self._exports is not None:
            self._run.journal.set_outputs(self.root, self._exports)
        live = [entry for entry in self._run.journal.snapshot().resources if not entry.delete]
        self._run.policies.judge_stack(live, self._registry.delete_first, self._provider_inputs)

    def refresh(self, before: Snapshot) -> Refreshed:
        """What became of the resources of the state. Runs no program."""
        if not self._scope.is_real(self._run, self._registry.urns):
            return Refreshed(before)
        return refresh(self._run, before, self._provider_of, self._parallel, self._selection)

    def _act(self, goal: Goal, old: ResourceState | None, new: ResourceState) -> ResourceState:
        """Carries the step out, or leaves the resource as it is (or not there at all)."""
        deleted = old is not None and old.urn in self._replacer.deleted
        if not self._scope.includes(new) and not deleted:
            if old is not None:
                self._scope.keep(old)
                return self._executor.keep(old)
            self._scope.leave_out(new, "untargeted", None)
            return new
        if (missing := self._scope.missing(new)) or self._is_unknown(new):
            return self._without(missing, old, new)
        if self._scope.in_a_circle(new):
            raise ProviderError(
                f"{new.type} {new.name!r} depends on a resource that is no target and depends on it in the state: "
                "make that a target, too, or leave --target out"
            )
        return self._trying(lambda: self._step(goal, old, new), old, new)

    def _read(self, id: str, goal: Goal, old: ResourceState | None, new: ResourceState) -> ResourceState:
        """Targets do not matter: there is nothing that it could change."""
        new = replace(
            new,
            id=id,
            external=True,
            protect=False,
            retain_on_delete=False,
            deleted_with="",
            property_dependencies={},
        )
        if missing := self._scope.missing(new):
            return self._without(missing, old, new)
        return self._trying(lambda: self._executor.read(old, new, self._provider_of(new)), old, new)

    def _trying(
        self, step: Callable[[], ResourceState], old: ResourceState | None, new: ResourceState
    ) -> ResourceState:
        """With `--continue-on-error` a failure is left out."""
        try:
            return step()
        except StepFailedError:
            pass
        except ProviderError as error:
            if not self._run.goes_on:
                raise
            self._run.fail(str(error), new.urn, stop=False)
        self._scope.leave_out(new, "failed", old)
        return new

    def _is_unknown(self, new: ResourceState) -> bool:
        """Whether an input comes, by a way that the program hides, from what is left out."""
        return not self._run.dry and self._scope.leaves_out and contains_unknown(new.inputs)

    def _without(self, missing: list[str], old: ResourceState | None, new: ResourceState) -> ResourceState:
        """What depends on something that is left out cannot be done either."""
        untargeted = [urn for urn in missing if self.left_out(urn) == "untargeted"]
        if untargeted:
            options = " ".join(f"--target '{urn}'" for urn in untargeted)
            # A dry pass goes on, to find all that is missing.
            self._run.fail(
                f"{new.type} {new.name!r} depends on what is not there yet and is no target: add {options}",
                new.urn,
                stop=not self._run.dry,
            )
            self._run.check_running()
        elif not self._run.dry:
            names = ", ".join(urn.split("::", 3)[-1] for urn in missing) or "something"
            self._run.warn(f"{new.type} {new.name!r} is left as it was: {names}, which it depends on, failed", new.urn)
        self._scope.leave_out(new, "failed" if untargeted else "skipped", old)
        return new

    def _step(self, goal: Goal, old: ResourceState | None, new: ResourceState) -> ResourceState:
        run, executor = self._run, self._executor
        provider = self._provider_of(new)
        call = call_of(new, run.seed, "create")
        old = self._doubts.settle(old, provider)
        deleted_before = old is not None and old.urn in self._replacer.deleted
        if old is None or deleted_before or old.external:
            new = replace(new, inputs=self._checked(goal, new, provider, call, None, goal.inputs))
            if old is None:
                return executor.create(new, provider)
            self._replacer.deleted.discard(old.urn)
            return self._created_anew(old, new, provider, changed=(), reasons=())
        kept = keep_ignored(goal, old, lambda text: run.reporter.message("info", text, new.urn))
        inputs = self._checked(goal, new, provider, call, old, kept)
        decision = decide(goal, old, inputs, provider, call, self._cascade(goal))
        new = replace(new, inputs=decision.inputs)
        if decision.op == "replace":
            if new.protect and old.protect:
                raise ProviderError(
                    f"{goal.type} {goal.name!r} must be replaced (because of {', '.join(decision.reasons)}), but it is "
                    "protected: remove `protect` from it in the program and run `up`, then try again"
                )
            # A replacement owes nothing to the old resource: defaults and generated names are made anew.
            new = replace(new, inputs=self._checked(goal, new, provider, call, None, goal.inputs))
            delete_first = (
                decision.delete_before_replace if goal.delete_before_replace is None else (goal.delete_before_replace)
            )
            if delete_first and not old.pending_replacement:
                self._replacer.delete_first(old, self._registry.registered())
            return self._created_anew(old, new, provider, changed=decision.changed, reasons=decision.reasons)
        if decision.op == "update" or self._doubts.half_updated(old):
            return executor.update(old, new, provider, decision.changed)
        return executor.same(old, new)

    def _checked(
        self,
        goal: Goal,
        new: ResourceState,
        provider: Provider | None,
        call: Call,
        old: ResourceState | None,
        inputs: Properties,
    ) -> Properties:
        """What the provider and then the policies make of the inputs. Raises ProviderError for what they refuse."""
        new = replace(new, inputs=check(provider, call, old, inputs))
        return self._run.policies.judge(new, goal.delete_before_replace, self._provider_inputs)

    def _created_anew(
        self,
        old: ResourceState,
        new: ResourceState,
        provider: Provider | None,
        *,
        changed: tuple[str, ...],
        reasons: tuple[str, ...],
    ) -> ResourceState:
        with self._lock:
            self._replaced.add(new.urn)
        done = self._executor.create(new, provider, replaces=old)
        report_replaced(self._run.reporter, old, done, changed, reasons)
        return done

    def _cascade(self, goal: Goal) -> str:
        with self._lock:
            if self._replaced & set(goal.replace_with):
                return "replaceWith"
            return "deletedWith" if goal.deleted_with in self._replaced else ""

    def _provider_inputs(self, reference: str) -> Properties:
        """Raises ProviderError if the state has no such provider."""
        urn, _, id = reference.rpartition("::")
        found = self._run.journal.find(urn)
        if found is not None and found.id == id:
            return found.inputs
        for entry in self._run.journal.older():
            if entry.urn == urn and entry.id == id:
                return entry.inputs
        raise ProviderError(f"the provider {reference} is not registered")

    def _provider_of(self, entry: ResourceState) -> Provider | None:
        return self._run.provider(entry.type, entry.provider, self._provider_inputs) if entry.custom else None


def _text(error: Exception) -> str:
    return str(error) if isinstance(error, ProviderError) else f"{type(error).__name__}: {error}"
