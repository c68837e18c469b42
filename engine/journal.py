"""The state as a run changes it: what is finished, what is still as before, what is being done; saved at every step.

A snapshot lists finished entries in the order of completion, then the older ones that nothing has superseded yet. So
each entry comes after everything it refers to, whenever the process ends.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property

from engine.deltas import Begun, Change, Ended, Layout, Old, Put, Settled
from engine.integrity import in_order
from engine.state import OperationType, PendingOperation, ResourceState, Snapshot
from engine.values import Properties

_NOTHING = ResourceState(urn="", type="", custom=False)  # in no state


class Journal:
    """Safe to use from several threads. `save` is given the journal, and makes durable what it then says."""

    def __init__(self, before: Snapshot, save: Callable[["Journal"], None], *, partial: bool = False) -> None:
        """`partial` is for a run that leaves some entries as they are, which finished ones may then refer to."""
        self._before, self._partial = before, partial
        self._save = save
        self._lock = threading.Lock()
        self._finished: dict[str, ResourceState] = {}
        self._older: dict[ResourceState, ResourceState] = {entry: entry for entry in before.resources}
        self._live = {entry.urn: entry for entry in before.resources if not entry.delete}
        self._number = {entry: number for number, entry in enumerate(before.resources)}
        self._corrected: dict[ResourceState, ResourceState] = {}  # what a provider said of it → as it was before
        self._pending: dict[PendingOperation, int] = {}  # in the order in which they began
        self._begun = 0
        # A create that an earlier run was killed in may have left an object behind, until a create succeeds.
        self._interrupted = {item.resource.urn: item for item in before.pending if item.type == "creating"}
        self._changes: list[Change] = []

    def snapshot(self) -> Snapshot:
        """The state as it is now."""
        with self._lock:
            return self._snapshot()

    def checkpoint(self) -> tuple[Snapshot, Layout]:
        """The state as it is now; `changes` then tells what happens after it."""
        with self._lock:
            self._changes = []
            older = tuple(self._number[entry] for entry in self._older)
            return self._snapshot(), Layout(len(self._finished), older, tuple(self._pending.values()))

    def _snapshot(self) -> Snapshot:
        again = {item.resource.urn for item in self._pending if item.type == "creating"}
        left = [item for urn, item in self._interrupted.items() if urn not in again]
        resources = (*self._finished.values(), *self._older.values())
        return replace(
            self._before,
            resources=in_order(resources) if self._partial else resources,
            pending=(*left, *self._pending),
        )

    @property
    def partial(self) -> bool:
        """Whether snapshots are put in order, so that `changes` do not tell them."""
        return self._partial

    def changes(self) -> list[Change]:
        """Everything since the last call, or the last checkpoint."""
        with self._lock:
            changes, self._changes = self._changes, []
            return changes

    @property
    def interrupted(self) -> list[PendingOperation]:
        """Creates that an earlier run was killed in and that no create has made good since."""
        with self._lock:
            return list(self._interrupted.values())

    def older(self) -> dict[ResourceState, ResourceState]:
        """Entries that nothing has superseded yet: as they were before the run → as they are now."""
        with self._lock:
            return dict(self._older)

    def find(self, urn: str) -> ResourceState | None:
        """What has that URN now: finished, or as it was."""
        with self._lock:
            return self._finished.get(urn) or self._older.get(self._live.get(urn, _NOTHING))

    def now(self, old: ResourceState) -> ResourceState:
        """An older entry as it is now. Raises KeyError for one that is superseded."""
        with self._lock:
            return self._older[self._key(old)]

    def depending_on(self, old: ResourceState) -> list[ResourceState]:
        """Older entries that depend on it, directly or not, in the order of the state. A child is no dependent."""
        with self._lock:
            found, frontier = set[ResourceState](), [old.urn]
            while frontier:
                urn = frontier.pop()
                new = {entry for entry in self._users[urn] if entry.parent != urn or urn in _without_parent(entry)}
                frontier.extend(entry.urn for entry in new - found)
                found |= new
            return sorted(found & self._older.keys(), key=self._number.__getitem__)

    def begin(self, resource: ResourceState, kind: OperationType) -> PendingOperation:
        """Before a provider call: when this returns, the state on disk says that it was started."""
        operation = PendingOperation(resource, kind)
        with self._lock:
            self._begun += 1
            self._pending[operation] = self._begun
            self._changes.append(Begun(self._begun, operation))
        self.flush()
        return operation

    def abandon(self, operation: PendingOperation) -> None:
        """The call failed: the state stays as it was before."""
        with self._lock:
            self._end(operation)

    def record(
        self,
        new: ResourceState,
        *,
        supersedes: ResourceState | None = None,
        operation: PendingOperation | None = None,
    ) -> None:
        """A finished entry, in the place of an older one; its operation ends in the same moment.

        What referred to it under an alias refers to its URN from now on.
        """
        with self._lock:
            if supersedes is not None:
                self._set_older(self._key(supersedes), None)
            self._finished[new.urn] = new
            self._changes.append(Put(new))
            for alias in new.aliases:
                for entry in self._users[alias] & self._older.keys():
                    self._set_older(entry, _rename(self._older[entry], alias, new.urn))
            self._end(operation)
            if operation is not None and operation.type == "creating" and new.urn in self._interrupted:
                del self._interrupted[new.urn]
                self._changes.append(Settled(new.urn))

    def mark(
        self,
        old: ResourceState,
        *,
        delete: bool = False,
        pending_replacement: bool = False,
        operation: PendingOperation | None = None,
    ) -> None:
        """An older entry that is superseded and still to be deleted, or deleted and still to be created anew."""
        with self._lock:
            key = self._key(old)
            marked = replace(self._older[key], delete=delete, pending_replacement=pending_replacement)
            self._set_older(key, marked)
            self._end(operation)

    def drop(self, old: ResourceState, operation: PendingOperation | None = None) -> None:
        """An older entry that is gone."""
        with self._lock:
            self._set_older(self._key(old), None)
            self._end(operation)

    def correct(self, old: ResourceState, seen: ResourceState) -> ResourceState:
        """Replaces an older entry by what its provider says of it now, which also stands for it in later calls."""
        with self._lock:
            self._corrected[seen] = self._key(old)
            self._set_older(self._key(old), seen)
            return seen

    def set_outputs(self, urn: str, outputs: Properties) -> ResourceState:
        """The outputs of a component, which arrive after its registration. Raises KeyError."""
        with self._lock:
            if urn in self._finished:
                done = self._finished[urn] = replace(self._finished[urn], outputs=outputs)
                self._changes.append(Put(done))
            else:
                key = self._live[urn]
                done = replace(self._older[key], outputs=outputs)
                self._set_older(key, done)
            return done

    def flush(self) -> None:
        """Returns when a state at least as new as now is on disk. Raises EngineError if it cannot be saved."""
        self._save(self)

    @cached_property
    def _users(self) -> Mapping[str, set[ResourceState]]:
        """Which entries of the state refer to a URN."""
        users = defaultdict[str, set[ResourceState]](set)
        for entry in self._before.resources:
            for urn in entry.all_dependencies():
                users[urn].add(entry)
        return users

    def _key(self, old: ResourceState) -> ResourceState:
        return self._corrected.get(old, old)

    def _set_older(self, key: ResourceState, now: ResourceState | None) -> None:
        if now is not None:
            self._older[key] = now
        elif self._older.pop(key, None) is None:
            return
        self._changes.append(Old(self._number[key], now))

    def _end(self, operation: PendingOperation | None) -> None:
        if operation is not None and (number := self._pending.pop(operation, None)) is not None:
            self._changes.append(Ended(number))


def _without_parent(entry: ResourceState) -> Iterable[str]:
    return {
        entry.provider.rpartition("::")[0],
        entry.deleted_with,
        *entry.dependencies,
        *entry.replace_with,
        *(urn for urns in entry.property_dependencies.values() for urn in urns),
    }


def _rename(entry: ResourceState, old_urn: str, new_urn: str) -> ResourceState:
    if entry.urn == old_urn or old_urn not in entry.all_dependencies():
        return entry

    def urn(value: str) -> str:
        return new_urn if value == old_urn else value

    def urns(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(urn(value) for value in values)

    provider_urn, _, provider_id = entry.provider.rpartition("::")
    properties: Mapping[str, tuple[str, ...]] = entry.property_dependencies
    return replace(
        entry,
        parent=urn(entry.parent),
        provider=f"{urn(provider_urn)}::{provider_id}" if entry.provider else "",
        dependencies=urns(entry.dependencies),
        property_dependencies={key: urns(value) for key, value in properties.items()},
        deleted_with=urn(entry.deleted_with),
        replace_with=urns(entry.replace_with),
    )
