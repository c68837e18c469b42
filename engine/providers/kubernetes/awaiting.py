"""Waiting until an object is as asked, and no longer than there is hope: what keeps its pods from running is told."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from engine.providers.base import ProviderError
from engine.providers.kubernetes import news, pods
from engine.providers.kubernetes.cluster import Cluster, Live, Place
from engine.providers.kubernetes.conditions import met
from engine.providers.kubernetes.errors import ApiError
from engine.providers.kubernetes.manifest import group_kind
from engine.providers.kubernetes.pods import Trouble
from engine.providers.kubernetes.readiness import Failed, Readiness, Waiting, readiness
from engine.providers.kubernetes.removal import is_terminating, users_of_claim
from engine.providers.kubernetes.waits import InterruptedWaitError, Wait

_LOOK = 1.0  # seconds between two looks at pods and events
_LOG_LINES = 10
_TOLD = 3  # troubles in one line
_WORKLOADS = frozenset(
    {("apps", "DaemonSet"), ("apps", "Deployment"), ("apps", "StatefulSet"), ("batch", "Job"), ("", "Pod")}
)
_WITH_EVENTS = _WORKLOADS | {("", "PersistentVolumeClaim"), ("", "Service")}


class NotReadyError(ProviderError):
    """It is there, and is not as asked."""

    def __init__(self, reasons: list[str], live: Live) -> None:
        super().__init__("; ".join(reasons))
        self.reasons, self.live = reasons, live


class Watch:
    """One object, from when it was applied until it is ready."""

    def __init__(self, cluster: Cluster, place: Place, wait: Wait, conditions: tuple[str, ...] = ()) -> None:
        self._cluster, self._place, self._wait, self._conditions = cluster, place, wait, conditions
        self._since = cluster.now() - 1  # the clock of events has whole seconds
        self._seen: dict[str, float] = {}  # troubles, and since when there they are without a break
        self._troubles: list[Trouble] = []
        self._looked = 0.0
        self._binding_waits: bool | None = None
        self._former: list[Live] = []  # pods as they were before, which are not ready

    def until_ready(self, live: Live) -> Live:
        """The object when it is ready. Raises NotReadyError."""
        while True:
            state = self.state(live)
            if state is None:
                return live
            if isinstance(state, Failed):
                raise NotReadyError([state.why, *self._failures(live)], live)
            self._look(live)
            lost = [trouble for trouble in self._troubles if self._is_lost(trouble)]
            if lost:
                raise NotReadyError([state.why, *map(self._with_log, lost)], live)
            if self._wait.is_over():
                reasons = [f"{state.why}, after {self._wait.seconds:.0f} s"]
                raise NotReadyError(reasons + [self._with_log(trouble) for trouble in self._troubles], live)
            told = [state.why, *(trouble.text for trouble in self._troubles[:_TOLD])]
            try:
                self._wait.pause("; ".join(told))
            except InterruptedWaitError as error:
                raise NotReadyError([str(error)], live) from None
            found = self._cluster.find(self._place)
            if found is None:
                raise ProviderError(f"{self._place} was deleted by somebody else while it was waited for")
            live = found

    def state(self, live: Live) -> Readiness:
        if self._conditions:
            return met(live, self._conditions)
        if group_kind(live) != ("", "PersistentVolumeClaim"):
            return readiness(live)
        if self._binding_waits is None:
            self._binding_waits = _binding_waits(self._cluster, live)
        state = readiness(live, binding_waits=self._binding_waits)
        if isinstance(state, Waiting) and _needs_pod(live):
            claim = live["metadata"]
            if not users_of_claim(self._cluster, claim["namespace"], claim["name"]):
                return None  # its file system grows when a pod mounts it
        return state

    def _look(self, live: Live) -> None:
        """Brings what is known of troubles up to date, now and then."""
        now = time.monotonic()
        if now - self._looked < _LOOK or group_kind(live) not in _WITH_EVENTS:
            return
        self._looked = now
        namespace = live["metadata"].get("namespace", "default")
        found = self._pods(live)
        events = news.about(news.warnings(self._cluster, namespace, self._since), [live, *found], pods.claims_of(found))
        missing = group_kind(live) in _WORKLOADS and len(found) < _wanted(live)
        self._troubles = [trouble for pod in found for trouble in pods.troubles(pod)]
        self._troubles += news.troubles(events, pods_are_missing=missing)
        self._troubles += [Trouble(pods.name_of(pod), _in_the_way(pod)) for pod in self._former if pods.is_running(pod)]
        self._seen = {trouble.key: self._seen.get(trouble.key, now) for trouble in self._troubles}

    def _is_lost(self, trouble: Trouble) -> bool:
        return self._looked - self._seen[trouble.key] >= trouble.grace

    def _pods(self, live: Live) -> list[Live]:
        """The object's own pods, of its newest form; those of before that never ran make place for them."""
        if group_kind(live) == ("", "Pod"):
            return [live]
        selector, namespace = pods.selector_of(live), live["metadata"].get("namespace", "default")
        if group_kind(live) not in _WORKLOADS or not selector:
            return []
        try:
            found = self._cluster.pods(namespace, selector)
            if live["kind"] == "Deployment":
                return _of_newest(found, self._cluster.items(self._siblings(namespace), labelSelector=selector), live)
        except ApiError:  # whoever may apply need not be allowed to look
            return []
        found = [pod for pod in found if _owner(pod) == live["metadata"]["uid"]]
        revision = live.get("status", {}).get("updateRevision")
        if live["kind"] != "StatefulSet" or not revision:
            return found
        former = [pod for pod in found if pod["metadata"].get("labels", {}).get("controller-revision-hash") != revision]
        self._former = [pod for pod in former if not pods.is_ready(pod) and not is_terminating(pod)]
        for pod in self._former:
            if not pods.is_running(pod):
                self._make_place(pod)
        return [pod for pod in found if pod not in former]

    def _make_place(self, pod: Live) -> None:
        """Kubernetes waits for a pod of before to become ready before it replaces it, which a broken one never does.

        Only for one in which nothing runs: the others may be at work, and their users decide.
        """
        name, namespace = pods.name_of(pod), pod["metadata"]["namespace"]
        self._wait.host.say(f"{self._place}: pod {name} could not start as it was before, and is made anew", "info")
        self._cluster.delete(Place(self._cluster.kind("v1", "Pod"), namespace, name), uid=pod["metadata"]["uid"])

    def _siblings(self, namespace: str) -> str:
        return self._cluster.kind("apps/v1", "ReplicaSet").path(namespace)

    def _failures(self, live: Live) -> list[str]:
        """Of what is said to have failed, what its pods have to say of it: the last one of a job's tells it."""
        ended = [trouble for pod in self._pods(live) for trouble in pods.failures(pod)]
        return [self._with_log(trouble) for trouble in ended[-1:]]

    def _with_log(self, trouble: Trouble) -> str:
        if not trouble.container:
            return trouble.text
        namespace = self._place.namespace or "default"
        previous = trouble.key.endswith("/crash")
        try:
            log = self._cluster.log(namespace, trouble.pod, trouble.container, lines=_LOG_LINES, previous=previous)
        except ProviderError:
            return trouble.text
        lines = [line.rstrip() for line in log.splitlines() if line.strip()]
        return "\n    ".join([f"{trouble.text}; its last lines:", *lines]) if lines else trouble.text


def _binding_waits(cluster: Cluster, claim: Live) -> bool:
    """Whether the claim is bound only when a pod wants it."""
    name = claim["spec"].get("storageClassName")
    if not name:  # no class: it binds to a volume that somebody made, at once or never
        return False
    try:
        found = cluster.find(Place(cluster.kind("storage.k8s.io/v1", "StorageClass"), None, name))
    except ApiError:
        return False
    return found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"


def _in_the_way(pod: Live) -> str:
    name, namespace = pods.name_of(pod), pod["metadata"]["namespace"]
    return (
        f"pod {name} of before is not ready, and is changed only when it is: if it never will be, "
        f"`kubectl delete pod {name} --namespace={namespace}`"
    )


def _needs_pod(claim: Live) -> bool:
    return any(
        condition["type"] == "FileSystemResizePending" and condition["status"] == "True"
        for condition in claim.get("status", {}).get("conditions") or ()
    )


def _owner(pod: Live) -> str:
    owners: Iterable[Mapping[str, Any]] = pod["metadata"].get("ownerReferences") or ()
    return next((owner["uid"] for owner in owners if owner.get("controller")), "")


def _of_newest(found: list[Live], sets: list[Live], deployment: Live) -> list[Live]:
    """The pods of a deployment's newest replica set."""
    key = "deployment.kubernetes.io/revision"
    revision = deployment["metadata"].get("annotations", {}).get(key)
    newest = {
        each["metadata"]["uid"]
        for each in sets
        if _owner(each) == deployment["metadata"]["uid"]
        and each["metadata"].get("annotations", {}).get(key) == revision
    }
    return [pod for pod in found if _owner(pod) in newest]


def _wanted(live: Live) -> int:
    spec = live["spec"]
    if live["kind"] == "Job":
        return int(spec.get("parallelism", 1)) if not spec.get("suspend") else 0
    return int(spec.get("replicas", 1)) if live["kind"] in ("Deployment", "StatefulSet") else 0
