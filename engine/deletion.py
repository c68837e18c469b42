"""Deleting what the program no longer asks for, dependents before what they depend on."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from engine.events import RETAINED, Op
from engine.execution import Executor, Run, StoppedError
from engine.providers.base import Provider
from engine.state import ResourceState


def antichains(condemned: Sequence[ResourceState]) -> list[list[ResourceState]]:
    """Groups to be deleted one after the other; nothing in a group depends on anything in it or in later ones.

    `condemned` is in the order of the state. Twins of one URN (a replaced entry and its successor) can refer to each
    other in a circle; the youngest entry then goes first.
    """
    remaining = list(condemned)
    groups = []
    while remaining:
        needed = {urn: entry for entry in remaining for urn in entry.all_dependencies() if urn != entry.urn}
        group = [entry for entry in remaining if entry.urn not in needed] or remaining[-1:]
        groups.append(group)
        taken = set(group)
        remaining = [entry for entry in remaining if entry not in taken]
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
) -> None:
    """Deletes every entry that nothing has superseded. Refuses as a whole if one of them is protected."""
    older = run.journal.older()
    condemned = list(older)
    gone = {before for before, now in older.items() if now.pending_replacement}  # deleted already, and not made anew
    replaced = {before for before in condemned if older[before].delete}
    protected = [entry for entry in condemned if entry.protect and entry not in replaced | gone]
    for entry in protected:
        run.fail(
            f"{entry.type} {entry.name!r} cannot be deleted because it is protected: remove `protect` from it in the "
            "program and run `up`, then try again",
            entry.urn,
        )
    if protected:
        return
    deleted |= {entry.urn for entry in condemned}

    def delete(entry: ResourceState) -> None:
        if entry in gone:  # in its turn all the same: what refers to it must leave the state first
            run.journal.drop(entry)
            return
        op: Op = "discard" if entry.external else "delete-replaced" if entry in replaced else "delete"
        try:
            executor.delete(entry, provider_of(entry), op=op, note=skipped(entry, deleted), replacing=False)
        except StoppedError:
            pass  # told already; the entry stays in the state
        except Exception as error:  # noqa: BLE001 - no provider's fault may keep the others from being recorded
            run.fail(str(error), entry.urn)

    with ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="delete") as pool:
        for group in antichains(condemned):
            if run.stop.is_set():
                return
            list(pool.map(delete, group))
