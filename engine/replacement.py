"""Delete-before-replace: which dependents must go before the resource they depend on, and in which order."""

import threading
from collections.abc import Callable

from engine.deletion import skipped
from engine.execution import Executor, Run, StepFailedError
from engine.planning import call_of, diff_dependent
from engine.providers.base import Provider, ProviderError
from engine.state import ResourceState

_POLL = 0.1  # seconds between looks at whether the run was stopped


class Replacer:
    """Deletes resources ahead of their replacement. Several replacements may go on at once and share dependents."""

    def __init__(self, run: Run, executor: Executor, provider_of: Callable[[ResourceState], Provider | None]) -> None:
        self._run, self._executor, self._provider_of = run, executor, provider_of
        self._lock = threading.Lock()
        self._claims: dict[ResourceState, threading.Event] = {}
        self._undeleted: set[ResourceState] = set()  # claimed, and not to be had
        self.deleted: set[str] = set()  # URNs deleted in this run and not created again

    def delete_first(self, root: ResourceState, registered: set[str]) -> None:
        """Deletes `root` and, before it, what a change of it would replace. `registered` cannot be among those."""
        dependents = self._dependents(root, registered)
        with self._lock:
            mine = [entry for entry in dependents if entry not in self._claims]
            theirs = [self._claims[entry] for entry in dependents if entry in self._claims]
            self._claims.update((entry, threading.Event()) for entry in mine)
            self.deleted.add(root.urn)
            self.deleted.update(entry.urn for entry in mine)
        left = [root, *mine]
        try:
            for entry in mine:
                if entry.protect and not self._run.journal.now(entry).delete:
                    raise ProviderError(
                        f"{entry.type} {entry.name!r} must be replaced with {root.name!r}, but it is protected: remove "
                        "`protect` from it in the program and run `up`, then try again"
                    )
            while len(left) > 1:
                entry = left[-1]
                self._delete(entry, replacing=not self._run.journal.now(entry).delete)
                self._claims[left.pop()].set()
            for done in theirs:
                # Who claimed first never waits for who came later, so this ends.
                while not done.wait(_POLL):
                    self._run.check_running()
            if not self._undeleted.isdisjoint(dependents):
                raise StepFailedError
            self._delete(root, replacing=True)
            left.clear()
        except StepFailedError:
            if left == [root] and not theirs:
                raise
            raise ProviderError("it must be replaced, and what depends on it could not be deleted first") from None
        finally:
            with self._lock:
                self._undeleted.update(left)
                self.deleted.difference_update(entry.urn for entry in left)
            for entry in left[1:]:
                self._claims[entry].set()

    def _delete(self, entry: ResourceState, *, replacing: bool) -> None:
        self._executor.delete(
            entry,
            self._provider_of(entry),
            op="delete-replaced",
            note=skipped(entry, self.deleted - {entry.urn}),
            replacing=replacing,
        )

    def _dependents(self, root: ResourceState, registered: set[str]) -> list[ResourceState]:
        """In the order of the state, so that the reverse is safe to delete in."""
        replaced = {root.urn}
        found = []
        for entry in self._run.journal.depending_on(root):
            if entry.urn in registered or not entry.custom or entry.external or not self._goes_with(entry, replaced):
                continue
            replaced.add(entry.urn)
            found.append(entry)
        return found

    def _goes_with(self, entry: ResourceState, replaced: set[str]) -> bool:
        """Whether an entry is replaced when those are: asked of its provider with what depends on them unknown."""
        if {entry.provider.rpartition("::")[0], entry.deleted_with, *entry.replace_with} & replaced:
            return True
        unknown = [name for name, urns in entry.property_dependencies.items() if replaced & set(urns)]
        if not set(unknown) & set(entry.inputs) or entry.pending_replacement:
            return False
        call = call_of(entry, self._run.seed, "update")
        try:
            return bool(diff_dependent(entry, unknown, self._provider_of(entry), call).replaces)
        except ProviderError as error:
            raise ProviderError(f"what depends on it, {entry.type} {entry.name!r}: {error}") from None
