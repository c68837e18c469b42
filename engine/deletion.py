"""Deleting what the program no longer asks for, dependents before what they depend on."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from engine.errors import StoppedError
from engine.events import RETAINED, Op
from engine.execution import Executor, Run
from engine.providers.base import Provider
from engine.scope import staying
from engine.selection import Selection, with_dependents
from engine.state import ResourceState

_NAMED = 10  # resources in one message
_THREADS = 4  # for each operation that may go on at once


def antichains(condemned: Sequence[ResourceState]) -> list[list[ResourceState]]:
    """Groups to be deleted one after the other; nothing in a group depends on anything in it or in later ones.

    `condemned` is in the order of the state. Twins of one URN (a replaced entry and its successor) can refer to each
    other in a circle; the youngest entry then goes first.
    """
    entries = defaultdict(list)
    for entry in condemned:
        entries[entry.urn].append(entry)
    remaining = dict.fromkeys(condemned)
    users = Counter(urn for entry in condemned for urn in entry.all_dependencies() - {entry.urn})
    free = [entry for entry in condemned if not users[entry.urn]]
    groups = []
    while remaining:
        group = free or [next(reversed(remaining))]
        groups.append(group)
        released = set()
        for entry in group:
            del remaining[entry]
            for urn in entry.all_dependencies() - {entry.urn}:
                users[urn] -= 1
                if not users[urn]:
                    released.add(urn)
        free = [entry for urn in released for entry in entries[urn] if entry in remaining]
    return groups


def skipped(entry: ResourceState, deleted: set[str]) -> str:
    """Why a deletion asks nothing of the provider; "" if it does. `deleted` are the URNs that this run deletes."""
    if entry.external:
        return "not owned by this stack"
    if entry.retain_on_delete:
        return RETAINED
    if entry.deleted_with in deleted:
        return f"deleted with {entry.deleted_with.split('::')[-1]}"
    return ""


def delete_all(
    run: Run,
    executor: Executor,
    provider_of: Callable[[ResourceState], Provider | None],
    deleted: set[str],
    parallel: int,
    *,
    kept: set[str],
    selection: Selection,
) -> None:
    """Deletes every entry that nothing has superseded, but for those `kept` (URNs) and those not selected.

    Refuses as a whole if one of them is protected, or depends on a selected one without being selected itself.
    """
    older = run.journal.older()
    condemned = _condemned(run, older, kept, selection)
    gone = {before for before, now in older.items() if now.pending_replacement}  # deleted already, and not made anew
    replaced = {before for before in condemned if older[before].delete}
    protected = [entry for entry in condemned if entry.protect and entry not in replaced | gone]
    if _refused(run, condemned, protected, selection):
        return
    deleted |= {entry.urn for entry in condemned}

    def delete(entry: ResourceState) -> bool:
        if entry in gone:  # in its turn all the same: what refers to it must leave the state first
            run.journal.drop(entry)
            return True
        op: Op = "discard" if entry.external else "delete-replaced" if entry in replaced else "delete"
        try:
            executor.delete(entry, provider_of(older[entry]), op=op, note=skipped(entry, deleted), replacing=False)
        except StoppedError:
            return False  # told already; the entry stays in the state
        except Exception as error:  # noqa: BLE001 - no provider's fault may keep the others from being recorded
            run.fail(str(error), entry.urn, stop=not run.goes_on)
            return False
        return True

    needed: set[str] = set()  # by what could not be deleted
    # Some of them only wait, and leave their slot to others meanwhile.
    with ThreadPoolExecutor(max_workers=_THREADS * parallel, thread_name_prefix="delete") as pool:
        for group in antichains(condemned):
            if run.stop.is_set():
                return
            chosen = [entry for entry in group if entry.urn not in needed]
            results = dict(zip(chosen, pool.map(delete, chosen), strict=True))
            for entry in group:
                if not results.get(entry):
                    needed |= entry.all_dependencies()


def _condemned(
    run: Run, older: Mapping[ResourceState, ResourceState], kept: set[str], selection: Selection
) -> list[ResourceState]:
    """In the order of the state. Says which targets cannot go."""
    selected = None
    if selection:
        selected = with_dependents({entry.urn for entry in older if selection.matches(entry.urn)}, older)
    stay = staying(older, kept, selected)
    for entry in stay:
        if selection and selection.matches(entry.urn) and entry.urn not in kept:
            run.warn(f"{entry.type} {entry.name!r} stays: what is no target depends on it", entry.urn)
    return [entry for entry in older if entry not in stay]


def _refused(
    run: Run, condemned: Sequence[ResourceState], protected: Sequence[ResourceState], selection: Selection
) -> bool:
    for entry in protected:
        run.fail(
            f"{entry.type} {entry.name!r} cannot be deleted because it is protected: remove `protect` from it in the "
            "program and run `up`, then try again",
            entry.urn,
        )
    uncovered = [] if selection.dependents else [entry for entry in condemned if not selection.matches(entry.urn)]
    if uncovered:
        options = " ".join(f"--target '**::{entry.name}'" for entry in uncovered[:_NAMED])
        more = f" and {len(uncovered) - _NAMED} more" if len(uncovered) > _NAMED else ""
        run.fail(
            "what depends on a target must be deleted with it, and is no target: add --target-dependents, or "
            f"{options}{more}"
        )
    return bool(protected or uncovered)
