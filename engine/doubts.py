"""What the state does not know for certain: operations that were interrupted, and reads that got no answer."""

from dataclasses import replace

from engine.execution import Run
from engine.providers.base import Provider, ProviderError
from engine.refresh import read
from engine.state import PendingOperation, ResourceState


class Doubts:
    """Settled one by one, when a program registers the resource: what it depends on is there by then."""

    def __init__(self, run: Run, interrupted: tuple[PendingOperation, ...]) -> None:
        """`interrupted` is what an earlier run was killed in."""
        self._run = run
        self._interrupted = {(item.resource.urn, item.resource.id): item.type for item in interrupted}

    def settle(self, old: ResourceState | None, provider: Provider | None) -> ResourceState | None:
        """The entry as it turns out to be; None if it is gone."""
        return self._read_late(self._still_there(old, provider), provider)

    def half_updated(self, old: ResourceState) -> bool:
        return self._interrupted.get((old.urn, old.id)) == "updating"

    def _still_there(self, old: ResourceState | None, provider: Provider | None) -> ResourceState | None:
        """An entry whose deletion was interrupted and, as the provider says, had happened, is to be made anew.

        Until it is, it keeps its place: entries after it refer to it.
        """
        if old is None or provider is None or self._interrupted.get((old.urn, old.id)) != "deleting":
            return old
        seen = read(self._run, old, provider)  # it may be on its way out
        return self._run.journal.correct(old, seen or replace(old, pending_replacement=True))

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


def tell_interrupted(run: Run, *, uses_program: bool) -> None:
    """Warns of creates that an earlier run was killed in."""
    by_hand = "it may have left it behind. Look yourself; `refresh --clear-pending-creates` then forgets it"
    then = "creating it again takes over what that left behind" if uses_program else by_hand
    for operation in run.journal.interrupted:
        entry = operation.resource
        run.warn(f"an earlier run was interrupted while creating {entry.type} {entry.name!r}: {then}", entry.urn)
