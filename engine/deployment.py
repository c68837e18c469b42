"""One pass over a program: each registration becomes a step, and what was not registered is deleted at the end."""

import threading
from concurrent.futures import Future
from dataclasses import dataclass, replace

from engine.config import StackConfig
from engine.deletion import delete_all
from engine.execution import Executor, Run, StoppedError, report_replaced
from engine.goal import Goal
from engine.planning import call_of, check, decide, keep_ignored
from engine.providers.base import Call, Old, Provider, ProviderError
from engine.refresh import Refreshed, read, refresh
from engine.replacement import Replacer
from engine.state import PROVIDER_TYPE_PREFIX, ROOT_STACK_TYPE, PendingOperation, ResourceState, Snapshot
from engine.values import Properties, plain


@dataclass(frozen=True, kw_only=True)
class Target:
    """The stack that a run is about."""

    project: str
    stack: str
    config: StackConfig


class Deployment:
    """Registrations arrive from many threads; each blocks its caller until its step is done."""

    def __init__(self, target: Target, run: Run, interrupted: tuple[PendingOperation, ...], parallel: int) -> None:
        self._target, self._run, self._parallel = target, run, parallel
        self._executor = Executor(run)
        self._replacer = Replacer(run, self._executor, self._provider_of)
        self._olds = {entry.urn: entry for entry in run.journal.older() if not entry.delete}
        self._interrupted = {(item.resource.urn, item.resource.id): item.type for item in interrupted}
        self._lock = threading.Lock()
        self._registered: set[str] = set()
        self._aliased: dict[str, str] = {}
        self._goals: dict[str, Goal] = {}
        self._replaced: set[str] = set()
        self._default_providers: dict[str, Future[str]] = {}
        self.root = ""  # URN of the stack

    def register(self, goal: Goal) -> ResourceState:
        """Raises StoppedError once the run has failed; the reason is told by then."""
        self._run.check_running()
        self._run.reporter.mask.learn(goal.inputs)
        urn = ""
        try:
            goal = self._placed(goal)
            urn = self._urn(goal)
            old = self._claim(urn, goal)
            goal = replace(goal, provider=self._reference(goal))
            new = _state(urn, goal, alias=old.urn if old and old.urn != urn else "")
            done = self._step(goal, old, new)
        except StoppedError:
            raise
        except Exception as error:
            text = str(error) if isinstance(error, ProviderError) else f"{type(error).__name__}: {error}"
            self._run.fail(text, urn)
            raise StoppedError from error
        with self._lock:
            self._goals[urn] = goal
        return done

    def register_outputs(self, urn: str, outputs: Properties) -> None:
        self._run.reporter.mask.learn(outputs)
        self._run.journal.set_outputs(urn, outputs)

    def invoke(self, token: str, args: Properties, reference: str, version: str) -> Properties:
        """A provider's function. Raises ProviderError."""
        goal = Goal(type=token, name="", custom=True, provider=reference, version=version)
        provider = self._run.provider(token, self._reference(goal), self._provider_inputs)
        if provider is None:
            raise ProviderError(f"{token}: the provider's configuration is not known yet")
        return provider.invoke(token, plain(args))

    def find(self, urn: str) -> ResourceState | None:
        return self._run.journal.finished(urn)

    def finish(self) -> None:
        """After a program that ended well: deletes what it did not register. Raises ProviderError."""
        delete_all(self._run, self._executor, self._provider_of, self._replacer.deleted, self._parallel)
        if not (self._run.failed or self._run.stop.is_set()):
            self._run.policies.judge_stack(self._run.journal.done(), self._delete_first, self._provider_inputs)

    def _delete_first(self, urn: str) -> bool | None:
        goal = self._goals.get(urn)
        return goal.delete_before_replace if goal else None

    def refresh(self, before: Snapshot) -> Refreshed:
        """What became of the resources of the state. Runs no program."""
        return refresh(self._run, before, self._provider_of, self._parallel)

    def _placed(self, goal: Goal) -> Goal:
        """With its parent, and what it takes from it."""
        with self._lock:
            if goal.type == ROOT_STACK_TYPE:
                return goal
            parent = goal.parent or ("" if goal.is_provider else self.root)
            known = self._goals.get(parent)
        if parent and known is None:
            raise ProviderError(f"{goal.type} {goal.name!r}: its parent {parent} is not registered")
        goal = replace(goal, parent=parent)
        return goal.inherit(known) if known else goal

    def _urn(self, goal: Goal) -> str:
        types = goal.type
        parent_type = goal.parent.split("::")[2] if goal.parent else ROOT_STACK_TYPE
        if parent_type != ROOT_STACK_TYPE:
            types = f"{parent_type}${goal.type}"
        return f"urn:pulumi:{self._target.stack}::{self._target.project}::{types}::{goal.name}"

    def _claim(self, urn: str, goal: Goal) -> ResourceState | None:
        """The entry that the state has for it, under its URN or an alias. Raises for a second use of either."""
        with self._lock:
            if urn in self._registered or urn in self._aliased:
                raise ProviderError(
                    f"{goal.type} {goal.name!r} is registered twice (or was taken over by an alias): give resources of "
                    f"one type and parent different names ({urn})"
                )
            self._registered.add(urn)
            if goal.type == ROOT_STACK_TYPE:
                self.root = urn
            names = [name for name in (urn, *goal.aliases) if name in self._olds and name not in self._aliased]
            found = next((name for name in names if name == urn or name not in self._registered), "")
            if found in ("", urn):
                return self._olds.get(found)
            self._aliased[found] = urn
            return self._olds[found]

    def _reference(self, goal: Goal) -> str:
        """The provider of a resource: its own, its parents' for the package, or the package's default one."""
        if not goal.custom or goal.is_provider:
            return ""
        reference = goal.provider or goal.providers.get(goal.package, "")
        with self._lock:
            parent = self._goals.get(goal.parent)
            while parent and not reference:
                reference = parent.providers.get(goal.package, "")
                parent = self._goals.get(parent.parent)
        return reference or self._default_provider(goal)

    def _default_provider(self, goal: Goal) -> str:
        """Registered once, however many resources ask at the same time."""
        suffix = "_".join(part for part in (goal.version, goal.plugin_url) if part)
        name = "default" + "".join("_" + part for part in suffix.replace("-", ".").split(".") if part)
        wanted = Goal(
            type=PROVIDER_TYPE_PREFIX + goal.package,
            name=name,
            custom=True,
            inputs=self._target.config.as_properties()
            if goal.package == "pulumi-python"
            else {
                **self._target.config.of_package(goal.package),
                **({"version": goal.version} if goal.version else {}),
                **({"pluginDownloadURL": goal.plugin_url} if goal.plugin_url else {}),
            },
        )
        key = f"{wanted.type}::{name}"
        with self._lock:
            first = key not in self._default_providers
            future = self._default_providers.setdefault(key, Future())
        if first:
            try:
                future.set_result(self.register(wanted).reference)
            except BaseException as error:
                future.set_exception(error)
                raise
        return future.result()

    def _provider_inputs(self, reference: str) -> Properties:
        """Raises ProviderError if the state has no such provider."""
        urn, _, id = reference.rpartition("::")
        finished = self._run.journal.finished(urn)
        if finished is not None and finished.id == id:
            return finished.inputs
        for entry in self._run.journal.older():
            if entry.urn == urn and entry.id == id:
                return entry.inputs
        raise ProviderError(f"the provider {reference} is not registered")

    def _provider_of(self, entry: ResourceState) -> Provider | None:
        return self._run.provider(entry.type, entry.provider, self._provider_inputs) if entry.custom else None

    def _step(self, goal: Goal, old: ResourceState | None, new: ResourceState) -> ResourceState:
        run, executor = self._run, self._executor
        provider = self._provider_of(new)
        call = call_of(new, run.seed, "create")
        old = self._read_late(self._still_there(old, provider), provider)
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
                self._replacer.delete_first(old, set(self._registered))
            return self._created_anew(old, new, provider, changed=decision.changed, reasons=decision.reasons)
        if decision.op == "update" or self._interrupted.get((old.urn, old.id)) == "updating":
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
        report_replaced(self._run, old, done, changed, reasons)
        return done

    def _cascade(self, goal: Goal) -> str:
        with self._lock:
            if self._replaced & set(goal.replace_with):
                return "replaceWith"
            return "deletedWith" if goal.deleted_with in self._replaced else ""

    def _still_there(self, old: ResourceState | None, provider: Provider | None) -> ResourceState | None:
        """None for an entry whose deletion was interrupted and, as the provider says, had happened."""
        if old is None or provider is None or self._interrupted.get((old.urn, old.id)) != "deleting":
            return old
        call = call_of(old, self._run.seed, "delete")
        if provider.read(call, Old(old.id, plain(old.inputs), plain(old.outputs))) is not None:
            return old
        self._run.journal.drop(old)
        return None

    def _read_late(self, old: ResourceState | None, provider: Provider | None) -> ResourceState | None:
        """What a refresh could not ask for is asked for now: what it depends on is there again."""
        if old is None or self._run.dry or old.urn not in self._run.unread:
            return old
        try:
            seen = read(self._run, old, provider)
        except ProviderError:  # still no answer (what waits for a server is one of these): its own step will tell
            return old
        # One that is gone keeps its place until it is made anew: entries after it refer to it.
        return self._run.journal.correct(old, seen or replace(old, pending_replacement=True))


def _state(urn: str, goal: Goal, alias: str) -> ResourceState:
    return ResourceState(
        urn=urn,
        type=goal.type,
        custom=goal.custom,
        inputs=goal.inputs,
        parent=goal.parent,
        provider=goal.provider if goal.custom else "",
        dependencies=goal.dependencies,
        property_dependencies=goal.property_dependencies,
        protect=bool(goal.protect),
        retain_on_delete=bool(goal.retain_on_delete),
        deleted_with=goal.deleted_with,
        replace_with=goal.replace_with,
        additional_secret_outputs=goal.additional_secret_outputs,
        aliases=(alias,) if alias else (),
        custom_timeouts=goal.custom_timeouts,
        ignore_changes=goal.ignore_changes,
        replace_on_changes=goal.replace_on_changes,
        source_position=goal.source_position,
    )
