"""What carries a backend out - a container, or a pod - for who waits for the backend: whether waiting is of any use."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

from components.slices.cluster import Cluster, ClusterError, cluster
from components.slices.docker_client import daemon, find
from components.slices.errors import RefusedError, SliceError
from components.slices.resource import Props

if TYPE_CHECKING:
    import docker

LOG_LINES: Final = 20
RESTARTS: Final = 3  # after so many in a row, waiting longer helps nobody
# Seconds that a backend may refuse its administrator in a row: Postgres' start script asserts the password within one
# or two of the first answer, the others before it.
REFUSALS: Final = 15
# Reasons of a container that does not run: no waiting changes these, and a registry may be back in a moment.
HOPELESS: Final = ("CreateContainerConfigError", "InvalidImageName", "ErrImageNeverPull")
PULLING: Final = ("ErrImagePull", "ImagePullBackOff")
PULLS: Final = 30  # seconds that a registry may fail in a row
EVENTS: Final = 5


class Carrier(Protocol):
    """`name` is said in messages."""

    name: str

    def hopeless(self, error: SliceError) -> str | None:
        """Why waiting longer helps nobody after `error`, if that is so."""

    def log(self) -> str:
        """The end of its log, to be put behind a message; empty where there is none."""


@contextmanager
def carrier(props: Props) -> Iterator[Carrier]:
    """What carries the backend that `props` (of a `Ready`) speaks of. Raises SliceError."""
    place = (props.get("admin") or {}).get("cluster")
    if place:
        with cluster(place.get("context")) as api:
            yield Pod(api, place["namespace"], place["stateful_set"], props["container"])
    else:
        with daemon(props.get("docker_host")) as client:
            yield Container(client, props["container"], props["container_id"])


class _Lasting:
    """Something that may be so for a moment, and not for longer than `limit` seconds in a row."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._since: float | None = None

    def too_long(self, *, holds: bool) -> bool:
        now = time.monotonic()
        if not holds:
            self._since = None
        elif self._since is None:
            self._since = now
        return self._since is not None and now - self._since > self._limit


def _refuses(cure: str) -> str:
    return f"refuses its administrator. Its start script asserts the password: {cure}"


class Container:
    """A container of Docker."""

    def __init__(self, client: "docker.DockerClient", name: str, id_: str) -> None:
        self.name = f"Container {name}"
        self._name, self._containers, self._id = name, client.containers, id_
        self._restarts: int | None = None  # of its life so far, which may be a long one
        self._refusals = _Lasting(REFUSALS)

    def hopeless(self, error: SliceError) -> str | None:
        container = find(self._containers.get, self._id)
        if container is None:
            return "does not exist any more"
        state, restarts = container.attrs["State"], container.attrs["RestartCount"]
        if state["Status"] in ("exited", "dead", "created"):
            return f"is stopped (exit code {state['ExitCode']}); start it with: docker start {self._name}"
        self._restarts = restarts if self._restarts is None else self._restarts
        again = restarts - self._restarts
        if again >= RESTARTS:
            return f"has stopped {again} times by itself"
        refused = self._refusals.too_long(holds=isinstance(error, RefusedError))
        return _refuses(f"docker restart {self._name}") if refused else None

    def log(self) -> str:
        tail: bytes | None = find(lambda id_: self._containers.get(id_).logs(tail=LOG_LINES), self._id)
        return _quoted((tail or b"").decode(errors="replace"))


class Pod:
    """The pod of a StatefulSet, which may be another one in the next moment: it is told by its name."""

    def __init__(self, api: Cluster, namespace: str, stateful_set: str, name: str) -> None:
        self.name = f"Pod {namespace}/{name}"
        self._api, self._namespace, self._set, self._name = api, namespace, stateful_set, name
        self._restarts: dict[str, int] = {}  # by the pod's uid
        self._pulls, self._refusals = _Lasting(PULLS), _Lasting(REFUSALS)

    def hopeless(self, error: SliceError) -> str | None:
        pod = self._pod()
        if pod is None:
            return None  # its StatefulSet makes it
        for status in pod.get("status", {}).get("containerStatuses") or ():
            waiting = status.get("state", {}).get("waiting") or {}
            reason = waiting.get("reason")
            if reason in HOPELESS or self._pulls.too_long(holds=reason in PULLING):
                return f"can't start ({reason}: {waiting.get('message', '')})"
            restarts = int(status.get("restartCount", 0))
            again = restarts - self._restarts.setdefault(pod["metadata"]["uid"], restarts)
            if again >= RESTARTS:
                return f"has stopped {again} times by itself"
        refused = self._refusals.too_long(holds=isinstance(error, RefusedError))
        return _refuses(f"kubectl delete pod {self._name} --namespace {self._namespace}") if refused else None

    def log(self) -> str:
        """With what Kubernetes says of a pod that does not run, or of a StatefulSet that can't make it."""
        pod = self._pod()
        try:
            if pod is None:
                return self._events("involvedObject.kind=StatefulSet", f"involvedObject.name={self._set}")
            container = pod["spec"]["containers"][0]["name"]
            text = self._api.log(self._namespace, self._name, container, lines=LOG_LINES)
            before = self._api.log(self._namespace, self._name, container, lines=LOG_LINES, previous=True)
            # By its uid: events of an earlier pod of that name are still there.
            return self._events(f"involvedObject.uid={pod['metadata']['uid']}") + _quoted(text or before)
        except ClusterError:
            return ""  # a right that is missing must not hide what this was to explain

    def _pod(self) -> dict[str, Any] | None:
        try:
            return self._api.get(f"/api/v1/namespaces/{self._namespace}/pods/{self._name}")
        except ClusterError:
            return None  # an API that is away for a moment is no reason to give up

    def _events(self, *of: str) -> str:
        """The last warnings."""
        fields = ",".join([*of, "type=Warning"])
        events = self._api.items(f"/api/v1/namespaces/{self._namespace}/events", fieldSelector=fields)
        events.sort(key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
        return "".join(f"\n  {event.get('reason')}: {event.get('message')}" for event in events[-EVENTS:])


def _quoted(text: str) -> str:
    return f"\nThe end of its log:\n{text.strip()}" if text.strip() else ""
