"""What must be true on a Docker host before anything is changed there."""

import shutil
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import psutil
import pulumi
from pulumi.dynamic import CheckFailure, CheckResult, Resource

from components.slices.docker_client import daemon, find, is_local
from components.slices.errors import SliceError
from components.slices.resource import Props, SliceProvider, inputs_of

if TYPE_CHECKING:
    import docker

GIB: Final = 1024**3
STATE: Final = "strata.state"  # the label that says which state made an object


@dataclass(frozen=True, kw_only=True)
class PortClaim:
    """A port of this host that `container` will publish; `setting` is the YAML key that changes it."""

    host: str
    port: int
    container: str
    setting: str


@dataclass(frozen=True, kw_only=True)
class PreflightArgs:
    """Names of what this stack is about to have on the daemon.

    Containers and networks of another state, or of none, are refused; volumes are adopted and named in `adopted`.
    `images` of localhost/ must have been built. `free_bytes` is what the daemon's disk must have left.
    """

    stack: str
    state_id: pulumi.Input[str]
    containers: Sequence[str] = ()
    networks: Sequence[str] = ()
    volumes: Sequence[str] = ()
    images: Sequence[str] = ()
    ports: Sequence[PortClaim] = ()
    docker_host: str | None = None
    free_bytes: int = GIB


class DockerPreflightProvider(SliceProvider):
    """Everything happens in `check`, which runs in every plan: what is refused has changed nothing yet."""

    client: ClassVar = "docker"
    compared: ClassVar = ("stack", "containers", "networks", "volumes", "images", "ports", "adopted")

    def check(self, olds: Props, news: Props) -> CheckResult:
        try:
            with daemon(news.get("docker_host")) as client:
                inspection = _Inspection(client, news)
                failures = [CheckFailure(*finding) for finding in inspection.findings()]
                return CheckResult({**news, "adopted": inspection.adopted()}, failures)
        except SliceError as error:
            return CheckResult(news, [CheckFailure("docker_host", str(error))])

    def identifier(self, props: Props) -> str:
        return str(props["stack"])

    def apply(self, props: Props, olds: Props | None = None) -> Props:
        return {}

    def live(self, props: Props) -> Props | None:
        return {}

    def delete(self, id_: str, props: Props) -> None:
        """Nothing was made."""


class DockerPreflight(Resource, module="strata", name="DockerPreflight"):
    """Refuses what would fail half-way, or take what is not this stack's.

    `adopted` names the volumes that another state made and this stack goes on with.
    """

    adopted: pulumi.Output[list[str]]

    def __init__(self, name: str, args: PreflightArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(DockerPreflightProvider(), name, inputs_of(args, "adopted"), opts)


class _Inspection:
    """One look at the daemon. While a first plan does not know the state's id yet, nothing there is this stack's."""

    def __init__(self, client: "docker.DockerClient", props: Props) -> None:
        self._client, self._props = client, props
        self._local = is_local(props.get("docker_host"))

    def findings(self) -> Iterator[tuple[str, str]]:
        """What stands in the way: the property, and what to do."""
        for name in self._props.get("containers", []):
            yield from self._foreign("containers", name, self._client.containers, f"docker rm -f {name}")
        for name in self._props.get("networks", []):
            yield from self._foreign("networks", name, self._client.networks, f"docker network rm {name}")
        for name in self._props.get("images", []):
            yield from self._absent_image(name)
        for claim in self._props.get("ports", []):
            yield from self._taken_port(claim)
        yield from self._full_disk()

    def adopted(self) -> list[str]:
        volumes = []
        for name in self._props.get("volumes", []):
            volume = find(self._client.volumes.get, name)
            if volume and not self._own(volume.attrs["Labels"]):
                volumes.append(name)
        return volumes

    def _own(self, labels: dict[str, str] | None) -> bool:
        return bool((labels or {}).get(STATE) == self._props["state_id"])

    def _foreign(self, property_: str, name: str, collection: Any, removal: str) -> Iterator[tuple[str, str]]:
        found = find(collection.get, name)
        if found is None:
            return
        labels = found.attrs["Labels"] if property_ == "networks" else found.attrs["Config"]["Labels"]
        if not self._own(labels):
            stack = (labels or {}).get("strata.stack")
            whose = f"belongs to another state of the stack {stack}" if stack else "is not Strata's"
            kind = property_.removesuffix("s")
            yield (
                property_,
                f"the {kind} `{name}` exists and {whose}. Remove it: {removal}"
                " (volumes stay) - or give this stack names of its own with strata:platform.prefix",
            )

    def _absent_image(self, name: str) -> Iterator[tuple[str, str]]:
        if not name.startswith("localhost/"):
            return  # pulled when it is needed
        if not find(self._client.images.get, name):
            yield "images", f"the image {name} is not on this host: strata images build"

    def _taken_port(self, claim: Props) -> Iterator[tuple[str, str]]:
        host, port = claim["host"], int(claim["port"])
        publishers = self._publishers(port)
        if claim["container"] in publishers:
            return
        holder = f"the container `{publishers[0]}` (docker stop {publishers[0]})" if publishers else None
        if holder is None and self._local:
            holder = _listener(host, port)
        if holder:
            where = f"port {port} on {host} is taken by {holder}"
            yield "ports", f"{where}. Stop that, or choose another one in Pulumi.<stack>.yaml: {claim['setting']}"

    def _publishers(self, port: int) -> list[str]:
        """The running containers that publish the port of the host."""
        return [
            container["Names"][0].removeprefix("/")
            for container in self._client.api.containers()
            if any(published.get("PublicPort") == port for published in container["Ports"])
        ]

    def _full_disk(self) -> Iterator[tuple[str, str]]:
        if not self._local:
            return
        root = self._client.info()["DockerRootDir"]
        try:
            free = shutil.disk_usage(root).free
        except OSError:
            return  # a daemon with a file system of its own, as in a virtual machine
        if free < self._props["free_bytes"]:
            yield (
                "free_bytes",
                f"{free / GIB:.1f} GiB are free on the disk of {root}, and {self._props['free_bytes'] / GIB:.1f} GiB"
                " are needed. Free some: docker system df, docker image prune",
            )


def _listener(host: str, port: int) -> str | None:
    """Who listens on the port, if anybody does."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # Without it a connection of a moment ago that still lingers would look like a listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            return None  # a low port: the daemon may use it
        except OSError:
            return _process(port)
    return None


def _process(port: int) -> str:
    try:
        pids = [
            c.pid for c in psutil.net_connections("tcp") if c.status == "LISTEN" and c.laddr and c.laddr.port == port
        ]
    except psutil.AccessDenied:
        pids = []
    for pid in pids:
        if pid:
            return f"process {pid} ({psutil.Process(pid).name()})"
    return f"a process of another user (find it: ss -ltnp 'sport = :{port}')"
