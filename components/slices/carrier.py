"""What carries a backend out - a container, or a pod - for who waits for the backend: whether waiting is of any use."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

from components.slices.cluster import Cluster, cluster
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
# Reasons of a container that does not run which no waiting changes.
HOPELESS: Final = ("CreateContainerConfigError", "InvalidImageName", "ErrImagePull", "ImagePullBackOff")


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
            yield Pod(api, place["namespace"], props["container"])
    else:
        with daemon(props.get("docker_host")) as client:
            yield Container(client, props["container"], props["container_id"])


class _Refusals:
    """How long a backend has refused its administrator in a row."""

    def __init__(self, cure: str) -> None:
        self._cure = cure
        self._since: float | None = None

    def after(self, error: SliceError) -> str | None:
        now = time.monotonic()
        if not isinstance(error, RefusedError):
            self._since = None
        elif self._since is None:
            self._since = now
        elif now - self._since > REFUSALS:
            return f"refuses its administrator. Its start script asserts the password: {self._cure}"
        return None


class Container:
    """A container of Docker."""

    def __init__(self, client: "docker.DockerClient", name: str, id_: str) -> None:
        self.name = f"Container {name}"
        self._name, self._containers, self._id = name, client.containers, id_
        self._restarts: int | None = None  # of its life so far, which may be a long one
        self._refusals = _Refusals(f"docker restart {name}")

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
        return self._refusals.after(error)

    def log(self) -> str:
        tail: bytes | None = find(lambda id_: self._containers.get(id_).logs(tail=LOG_LINES), self._id)
        return _quoted((tail or b"").decode(errors="replace"))


class Pod:
    """The pod of a StatefulSet, which may be another one in the next moment: it is told by its name."""

    def __init__(self, api: Cluster, namespace: str, name: str) -> None:
        self.name = f"Pod {namespace}/{name}"
        self._api, self._namespace, self._name = api, namespace, name
        self._restarts: dict[str, int] = {}  # by the pod's uid
        again = f"kubectl delete pod {name} --namespace {namespace}"
        self._refusals = _Refusals(again)

    def hopeless(self, error: SliceError) -> str | None:
        pod = self._pod()
        if pod is None:
            return None  # its StatefulSet makes it
        for status in pod.get("status", {}).get("containerStatuses") or ():
            waiting = status.get("state", {}).get("waiting") or {}
            if waiting.get("reason") in HOPELESS:
                return f"can't start ({waiting['reason']}: {waiting.get('message', '')})"
            restarts = int(status.get("restartCount", 0))
            again = restarts - self._restarts.setdefault(pod["metadata"]["uid"], restarts)
            if again >= RESTARTS:
                return f"has stopped {again} times by itself"
        return self._refusals.after(error)

    def log(self) -> str:
        """With what Kubernetes says of a pod that does not run."""
        pod = self._pod()
        if pod is None:
            return ""
        container = pod["spec"]["containers"][0]["name"]
        text = self._api.log(self._namespace, self._name, container, lines=LOG_LINES)
        before = self._api.log(self._namespace, self._name, container, lines=LOG_LINES, previous=True)
        return self._events() + _quoted(text or before)

    def _pod(self) -> dict[str, Any] | None:
        return self._api.get(f"/api/v1/namespaces/{self._namespace}/pods/{self._name}")

    def _events(self) -> str:
        of = f"involvedObject.name={self._name},type=Warning"
        events = self._api.items(f"/api/v1/namespaces/{self._namespace}/events", fieldSelector=of)
        lines = [f"{event['reason']}: {event['message']}" for event in events[-5:]]
        return "".join(f"\n  {line}" for line in lines)


def _quoted(text: str) -> str:
    return f"\nThe end of its log:\n{text.strip()}" if text.strip() else ""
