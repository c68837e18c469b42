"""The state as a run changes it: what is finished, what is still as before, what is being done; saved at every step.

A snapshot lists finished entries in the order of completion, then the older ones that nothing has superseded yet. So
each entry comes after everything it refers to, whenever the process ends.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from engine.integrity import in_order
from engine.state import OperationType, PendingOperation, ResourceState, Snapshot
from engine.values import Properties

_NOTHING = ResourceState(urn="", type="", custom=False)  # in no state


class Journal:
    """Safe to use from several threads. `save` is given what takes the newest snapshot, and makes that durable."""

    def __init__(
        self, before: Snapshot, save: Callable[[Callable[[], Snapshot]], None], *, partial: bool = False
    ) -> None:
        """`partial` is for a run that leaves some entries as they are, which finished ones may then refer to."""
        self._template, self._partial = before, partial
        self._save = save
        self._lock = threading.Lock()
        self._finished: dict[str, ResourceState] = {}
        self._older: dict[ResourceState, ResourceState] = {entry: entry for entry in before.resources}
        self._live = {entry.urn: entry for entry in before.resources if not entry.delete}
        self._pending: dict[PendingOperation, None] = {}  # in the order in which they began
        # A create that an earlier run was killed in may have left an object behind, until a create succeeds.
        self._interrupted = {item.resource.urn: item for item in before.pending if item.type == "creating"}

    def snapshot(self) -> Snapshot:
        with self._lock:
            again = {item.resource.urn for item in self._pending if item.type == "creating"}
            left = [item for urn, item in self._interrupted.items() if urn not in again]
            resources = (*self._finished.values(), *self._older.values())
            return replace(
                self._template,
                resources=in_order(resources) if self._partial else resources,
                pending=(*left, *self._pending),
            )

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
            return self._older[old]

    def begin(self, resource: ResourceState, kind: OperationType) -> PendingOperation:
        """Before a provider call: when this returns, the state on disk says that it was started."""
        operation = PendingOperation(resource, kind)
        with self._lock:
            self._pending[operation] = None
        self.flush()
        return operation

    def abandon(self, operation: PendingOperation) -> None:
        """The call failed: the state stays as it was before."""
        with self._lock:
            self._pending.pop(operation, None)

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
                self._older.pop(supersedes, None)
            self._finished[new.urn] = new
            for alias in new.aliases:
                self._older = {key: _rename(entry, alias, new.urn) for key, entry in self._older.items()}
            if operation is not None:
                self._pending.pop(operation, None)
                if operation.type == "creating":
                    self._interrupted.pop(new.urn, None)

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
            self._older[old] = replace(self._older[old], delete=delete, pending_replacement=pending_replacement)
            if operation is not None:
                self._pending.pop(operation, None)

    def drop(self, old: ResourceState, operation: PendingOperation | None = None) -> None:
        """An older entry that is gone."""
        with self._lock:
            self._older.pop(old, None)
            if operation is not None:
                self._pending.pop(operation, None)

    def correct(self, old: ResourceState, seen: ResourceState) -> ResourceState:
        """Replaces an older entry by what its provider says of it now."""
        with self._lock:
            self._older = {seen if key is old else key: seen if key is old else now for key, now in self._older.items()}
            self._live[seen.urn] = seen
            return seen

    def set_outputs(self, urn: str, outputs: Properties) -> ResourceState:
        """The outputs of a component, which arrive after its registration. Raises KeyError."""
        with self._lock:
            if urn in self._finished:
                done = self._finished[urn] = replace(self._finished[urn], outputs=outputs)
            else:
                done = self._older[self._live[urn]] = replace(self._older[self._live[urn]], outputs=outputs)
            return done

    def flush(self) -> None:
        """Returns when a state at least as new as now is on disk. Raises EngineError if it cannot be saved."""
        self._save(self.snapshot)


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
