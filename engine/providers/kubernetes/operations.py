"""What is done to one object on the cluster: found, applied, waited for, deleted."""

from collections.abc import Iterator
from contextlib import contextmanager

from engine.paths import parse, reset
from engine.providers import Host
from engine.providers.base import Call, Properties, ProviderError
from engine.providers.kubernetes import record
from engine.providers.kubernetes.awaiting import NotReadyError, Watch
from engine.providers.kubernetes.cluster import Cluster, Live, Place
from engine.providers.kubernetes.conditions import wait_for
from engine.providers.kubernetes.errors import ApiError, NoSuchKindError, UnreachableError, described
from engine.providers.kubernetes.ownership import (
    FORCE,
    annotation,
    claimed,
    handed_over,
    is_managed,
    managers,
    may_be_taken,
)
from engine.providers.kubernetes.readiness import SKIP
from engine.providers.kubernetes.removal import PROPAGATION, is_terminating, propagation, wait_until_gone
from engine.providers.kubernetes.settings import Settings
from engine.providers.kubernetes.waits import Wait, timeout_of

_READ_IS_JUDGED = frozenset({"DaemonSet", "Deployment", "Job", "Pod", "Service", "StatefulSet"})
# Kinds that the official provider does not wait for either, when it deletes what says skipAwait.
_SKIPS_DELETION = frozenset({"DaemonSet", "Deployment", "Job", "Namespace", "Pod", "StatefulSet"})


class Operations:
    """On one cluster, told to one user. For many threads."""

    def __init__(self, cluster: Cluster, settings: Settings, host: Host) -> None:
        self.cluster, self._settings, self._host = cluster, settings, host

    def place(self, api_version: str, kind: str, namespace: str | None, name: str) -> Place:
        """Raises NoSuchKindError."""
        found = self.cluster.kind(api_version, kind)
        return Place(found, (namespace or "default") if found.namespaced else None, name)

    def create(self, call: Call, place: Place, inputs: Properties, manager: str) -> Live:
        """Takes over what an interrupted create of the same resource has left. Raises NotReadyError, too."""
        with _doing(place, "created"):
            there = self.cluster.find(place)
            if there is not None and is_terminating(there):
                wait_until_gone(self.cluster, place, there["metadata"]["uid"], self._wait(call, place, inputs))
                there = None
            if there is not None and not self._is_ours(there, inputs, manager):
                raise ProviderError(
                    f"it is there already, and is not this stack's: it was made by {managers(there)}. Delete it, or "
                    f'name yours differently; with the annotation {FORCE}: "true" it is taken over as it is'
                )
            live = self._apply(place, claimed(inputs, manager), manager)
        return self._settled(call, place, inputs, live)

    def update(self, call: Call, place: Place, inputs: Properties, manager: str) -> Live:
        """Raises NotReadyError, too."""
        with _doing(place, "updated"):
            live = self.cluster.find(place)
            if live is None or is_terminating(live):
                state = "is no longer there" if live is None else "is being deleted"
                raise ProviderError(f"it {state}, by somebody else's doing. Run `up --refresh`: then it is made anew")
            if (patch := handed_over(live, manager)) is not None:
                self.cluster.patch(place, patch)
            live = self._apply(place, claimed(_as_it_is(inputs, live, call.ignore_changes), manager), manager)
        return self._settled(call, place, inputs, live)

    def find(self, place: Place) -> Live | None:
        with _doing(place, "read"):
            return self.cluster.find(place)

    def unready(self, call: Call, place: Place, inputs: Properties, live: Live) -> list[str]:
        """Why it is not as asked at this moment, which the official provider looks at in these kinds, too."""
        if place.kind.name not in _READ_IS_JUDGED or is_terminating(live):
            return []
        watch = Watch(self.cluster, place, self._wait(call, place, inputs), wait_for(inputs))
        state = watch.state(live)
        return [] if state is None or _is_skipped(inputs) else [f"{place} is not ready: {state.why}"]

    def delete(self, call: Call, place: Place, uid: str | None, made_from: Properties) -> None:
        with _doing(place, "deleted"):
            policy = propagation(annotation(made_from, PROPAGATION), place.kind.name)
            live = self.cluster.find(place)
            if live is None:
                return
            if uid and live["metadata"]["uid"] != uid:
                raise ProviderError(
                    "it was deleted and made anew by somebody else. Run `refresh` if the new one is to be deleted, too"
                )
            self.cluster.delete(place, uid=live["metadata"]["uid"], propagation=policy)
            if not (_is_skipped(made_from) and place.kind.name in _SKIPS_DELETION):
                wait_until_gone(self.cluster, place, live["metadata"]["uid"], self._wait(call, place, made_from))

    def _wait(self, call: Call, place: Place, manifest: Properties) -> Wait:
        return Wait(str(place), timeout_of(call, manifest), self._host)

    def _forces(self, manifest: Properties) -> bool:
        return self._settings.force or annotation(manifest, FORCE) == "true"

    def _is_ours(self, live: Live, inputs: Properties, manager: str) -> bool:
        return is_managed(live, manager) or self._settings.upsert or self._forces(inputs)

    def _apply(self, place: Place, inputs: Properties, manager: str) -> Live:
        manifest = record.sent(inputs)
        try:
            return self.cluster.apply(place, manifest, manager, force=self._forces(inputs))
        except ApiError as error:
            conflicts = error.conflicts()
            if not conflicts:
                raise
            if not may_be_taken(conflicts):
                raise ProviderError(
                    f"others manage what this program sets, too: {described(conflicts)}. Leave that out of the "
                    f'program, put it under ignoreChanges, or take it over with the annotation {FORCE}: "true"'
                ) from None
            self._host.say(f"{place}: {described(conflicts)}, which is set back to what the program says", "info")
        return self.cluster.apply(place, manifest, manager, force=True)

    def _settled(self, call: Call, place: Place, inputs: Properties, live: Live) -> Live:
        """The object when it is as asked."""
        if _is_skipped(inputs):
            return live
        watch = Watch(self.cluster, place, self._wait(call, place, inputs), wait_for(inputs))
        try:
            return watch.until_ready(live)
        except NotReadyError as error:
            first, *more = error.reasons
            raise NotReadyError([f"{place} is there, and is not ready: {first}", *more], error.live) from None


def _is_skipped(manifest: Properties) -> bool:
    return annotation(manifest, SKIP) == "true"


def _as_it_is(inputs: Properties, live: Live, paths: tuple[str, ...]) -> Properties:
    """The inputs with what the object has now where changes are ignored: nobody's later change is undone."""
    manifest: Properties = record.sent(inputs)  # a copy
    for path in paths:
        reset(parse(path), live, manifest)
    return manifest


@contextmanager
def _doing(place: Place, verb: str) -> Iterator[None]:
    try:
        yield
    except (NoSuchKindError, UnreachableError):
        raise
    except ProviderError as error:
        raise ProviderError(f"{place} cannot be {verb}: {error}") from error
