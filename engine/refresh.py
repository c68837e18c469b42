"""Correcting the state to what is there: every resource is read from its provider.

A read that fails is no news, and then nothing is recorded. The exception is what depends on a resource that this
refresh found gone, since who would answer is not there. What says that it is deleted with that resource (a login of
a container) is gone, too; anything else (a database on its volume) keeps its entry, and the update that follows reads
it when what it depends on is there again.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from engine.events import Op, Step
from engine.execution import Run, guard_secrets
from engine.planning import call_of, differing
from engine.providers.base import Old, PartialFailure, Provider
from engine.selection import Selection
from engine.state import ResourceState, Snapshot
from engine.telling import hidden
from engine.values import carry_secrets, plain

ProviderOf = Callable[[ResourceState], Provider | None]


@dataclass(frozen=True)
class Refreshed:
    """The corrected state, and the URNs of what could not be asked."""

    snapshot: Snapshot
    unread: frozenset[str] = frozenset()


def refresh(run: Run, before: Snapshot, provider_of: ProviderOf, parallel: int, selection: Selection) -> Refreshed:
    """Reads all that is selected at once. A failed read fails `run`; the result is then `before`."""
    selected = selection.among(before.resources)

    def attempt(entry: ResourceState) -> ResourceState | Exception | None:
        try:
            with run.slots:
                run.check_running()
                return read(run, entry, provider_of(entry))
        except Exception as error:  # noqa: BLE001 - whether it counts is known when all have answered
            return error

    asked = [entry for entry in before.resources if entry.urn in selected]
    answers: dict[ResourceState, ResourceState | Exception | None] = {entry: entry for entry in before.resources}
    with ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="read") as pool:
        answers.update(zip(asked, pool.map(attempt, asked), strict=True))
    gone = {entry.urn for entry, answer in answers.items() if answer is None and not entry.delete}
    gone |= {
        entry.urn for entry, answer in answers.items() if isinstance(answer, Exception) and entry.deleted_with in gone
    }
    behind = _behind(before, gone)
    unread = set()
    kept: dict[ResourceState, ResourceState | None] = {}
    for entry, answer in answers.items():
        if not isinstance(answer, Exception):
            kept[entry] = answer
        elif entry.urn in gone:
            kept[entry] = None
        elif entry.urn in behind:
            unread.add(entry.urn)
            kept[entry] = entry
        else:
            run.fail(f"{entry.type} {entry.name!r} cannot be read: {answer}", entry.urn)
    if run.failed or run.stop.is_set():
        return Refreshed(before)
    for entry in asked:
        _tell(run, entry, kept[entry])
    return Refreshed(_without(before, kept, unread), frozenset(unread))


def read(run: Run, entry: ResourceState, provider: Provider | None) -> ResourceState | None:
    """The entry as its provider sees it; None if it is gone. Components and providers are what the program says."""
    if provider is None or entry.is_provider or entry.pending_replacement:
        return entry
    old = Old(entry.id, plain(entry.inputs), plain(entry.outputs))
    errors: tuple[str, ...] = ()
    try:
        live = provider.read(call_of(entry, run.seed, "read"), old)
    except PartialFailure as failure:  # what comes next tries again to make it as asked
        live, errors = Old(failure.id, old.inputs, failure.outputs), tuple(failure.reasons)
    if live is None:
        return None
    inputs = carry_secrets(live.inputs, entry.inputs)
    outputs = carry_secrets(carry_secrets(live.outputs, entry.inputs), entry.outputs)  # secret once, secret ever
    run.reporter.mask.learn(inputs, outputs)
    return guard_secrets(replace(entry, id=live.id, inputs=inputs, outputs=outputs, init_errors=errors))


def _behind(before: Snapshot, gone: set[str]) -> set[str]:
    """Everything that depends, directly or not, on what is gone. The state lists what is depended on first."""
    behind: set[str] = set()
    for entry in before.resources:
        if entry.all_dependencies() & (gone | behind):
            behind.add(entry.urn)
    return behind


def _tell(run: Run, old: ResourceState, new: ResourceState | None) -> None:
    changed = () if new is None else differing(old.outputs, new.outputs)
    op: Op = "delete" if new is None else "update" if changed else "same"
    step = Step(op=op, phase="done", urn=old.urn, type=old.type, name=old.name, changed=changed, old=old, new=new)
    run.reporter.step(step, counted=not hidden(old))


def _without(before: Snapshot, kept: dict[ResourceState, ResourceState | None], unread: set[str]) -> Snapshot:
    """The state without what is gone and without references to it, as the official engine leaves it.

    An interrupted operation is settled by the read; only a create, which has no id to ask for, is not.
    """
    parents: dict[str, str] = {}  # of what is gone
    there: set[str] = set()
    resources = []
    for old, new in kept.items():
        if new is None:
            parents.setdefault(old.urn, parents.get(old.parent, old.parent))
            continue
        there.add(new.urn)
        parent = new.parent if new.parent in there else parents.get(new.parent, "")
        resources.append(_referring_to(replace(new, parent=parent), there))
    pending = tuple(item for item in before.pending if item.type == "creating" or item.resource.urn in unread)
    return replace(before, resources=tuple(resources), pending=pending)


def _referring_to(entry: ResourceState, there: set[str]) -> ResourceState:
    def urns(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(urn for urn in values if urn in there)

    return replace(
        entry,
        dependencies=urns(entry.dependencies),
        property_dependencies={key: urns(value) for key, value in entry.property_dependencies.items()},
        deleted_with=entry.deleted_with if entry.deleted_with in there else "",
        replace_with=urns(entry.replace_with),
    )
