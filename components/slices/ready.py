"""A backend that answers its administrator: what everything inside it waits for."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final

import pulumi
from pulumi.dynamic import CheckFailure, Resource

from components.slices.admin import Address, AdminRef
from components.slices.docker_client import daemon, find
from components.slices.errors import RefusedError, SliceError, UnpreparedError
from components.slices.object_store import administrator as object_store_administrator
from components.slices.object_store import connection as object_store
from components.slices.postgres import administrator as postgres_administrator
from components.slices.postgres import connection as postgres
from components.slices.qdrant import connection as qdrant
from components.slices.qdrant import logins as qdrant_logins
from components.slices.redis import administrator as redis_administrator
from components.slices.redis import connection as redis
from components.slices.resource import Props, SliceProvider, inputs_of, is_known

if TYPE_CHECKING:
    import docker

INTERVAL: Final = 0.1  # seconds between two probes
PLAN_LIMIT: Final = 2  # seconds that a plan waits for an answer
LOG_LINES: Final = 20
RESTARTS: Final = 3  # after so many in a row, waiting longer helps nobody
# Seconds that a backend may refuse its administrator in a row: Postgres' start script asserts the password within one
# or two of the first answer, the others before it.
REFUSALS: Final = 15


@dataclass(frozen=True, kw_only=True)
class ReadyArgs:
    """`backend` is `postgres`, `redis`, `qdrant` or `object_store`; `deadline` in seconds.

    `credential` changes with the administrator's, and says nothing about it. `root` names the secret with which the
    administrator is made, where the backend has one. `container` and its log are quoted in errors.
    """

    backend: str
    admin: AdminRef
    container: pulumi.Input[str]
    container_id: pulumi.Input[str]
    credential: pulumi.Input[str] | None = None
    root: str | None = None
    deadline: float = 120
    docker_host: str | None = None


Probe = Callable[[Address, float], Props]


class ReadyProvider(SliceProvider):
    """Polls an authenticated round trip. `diff` asks the backend who it is, in every plan.

    Another identity (the volume was replaced) or no answer is an update: slices then get the new identity and make
    anew what they declare, or `up` waits and fails with the reason. A backend that refuses the administrator is given
    the current credential, without a restart.
    """

    shared: ClassVar = ("admin",)  # the identity is what this resource finds out
    compared: ClassVar = ("container_id", "credential")

    def failures(self, olds: Props, news: Props) -> list[CheckFailure]:
        if news["backend"] in PROBES:
            return []
        return [CheckFailure("backend", f"`{news['backend']}` is none of {', '.join(PROBES)}")]

    def drifted(self, olds: Props, news: Props) -> bool:
        if not is_known(news) or Address.of(news).earlier():
            return True  # an earlier password is kept until the backend has taken the current one
        try:
            live = PROBES[news["backend"]](Address.of(news), PLAN_LIMIT)
        except SliceError:
            return True
        return bool(live["identity"] != olds.get("identity"))

    def identifier(self, props: Props) -> str:
        return str(props["backend"])

    def apply(self, props: Props, olds: Props | None = None) -> Props:
        limit = props.get("deadline", 120)
        end = time.monotonic() + limit
        with daemon(props.get("docker_host")) as client:
            container = _Container(client, props["container"], props["container_id"])
            while True:
                try:
                    return _admitted(props)
                except SliceError as error:
                    hopeless = container.hopeless(error)
                    if hopeless or time.monotonic() > end:
                        reason = hopeless or f"is not ready within {limit:g} s"
                        raise SliceError(f"Container {container.name} {reason}. {error}{container.log()}") from None
                time.sleep(INTERVAL)

    def live(self, props: Props) -> Props | None:
        return PROBES[props["backend"]](Address.of(props), redis.TIMEOUT)

    def delete(self, id_: str, props: Props) -> None:
        """Nothing was made."""


class Ready(Resource, module="strata", name="Ready"):
    """An answering backend: its `identity` (of its data, not of its container) and its server's `version`."""

    identity: pulumi.Output[str]
    version: pulumi.Output[str]

    def __init__(self, name: str, args: ReadyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(ReadyProvider(), name, inputs_of(args, "identity", "version"), opts)


def _postgres(address: Address, limit: float) -> Props:
    with postgres.connect(address, timeout=int(limit)) as connection:
        version = str(postgres.scalar(connection, "SHOW server_version")).split()[0]
        return {"identity": postgres.identity(connection), "version": version}


def _redis(address: Address, limit: float) -> Props:
    with redis.connect(address, timeout=limit) as connection:
        connection.command("PING")  # an error while the data is still being loaded
        return {"identity": connection.identity(), "version": connection.version()}


def _object_store(address: Address, limit: float) -> Props:
    with object_store.connect(address, timeout=limit) as connection:
        return {**connection.info()}


def _qdrant(address: Address, limit: float) -> Props:
    with qdrant.connect(address, timeout=limit) as connection:
        return {"identity": qdrant_logins.identity(connection), "version": connection.version()}


def _assert_qdrant(address: Address, root: Address) -> None:
    admin_id = qdrant_logins.id_of(address.password())
    try:
        with qdrant.connect(root) as connection:
            qdrant_logins.prepare(connection, admin_id)
    except RefusedError:
        raise RefusedError(
            f"Qdrant at {address}: the API key is refused. The container takes it at every start: restart it, and if"
            " another Qdrant holds this port, stop that one"
        ) from None


PROBES: Final[dict[str, Probe]] = {
    "postgres": _postgres,
    "redis": _redis,
    "qdrant": _qdrant,
    "object_store": _object_store,
}

# Make the current credential the administrator's, whether it was another one or none, and end what the other one
# opened; the second address is root's. All of them can be repeated.
ASSERTIONS: Final[dict[str, Callable[[Address, Address], None]]] = {
    "postgres": lambda address, _: postgres_administrator.assert_password(address),
    "redis": lambda address, _: redis_administrator.assert_password(address),
    "qdrant": _assert_qdrant,
    "object_store": object_store_administrator.assert_user,
}


def _admitted(props: Props) -> Props:
    """What the probe finds out, with the current credential, which from then on is the only one."""
    backend, address, limit = props["backend"], Address.of(props), redis.TIMEOUT
    # With an earlier password at hand a run was ended before it was done: the backend may have the new password, and
    # sessions of the old one.
    live = None if address.earlier() else _unless_refused(PROBES[backend], address, limit)
    if live is None:
        ASSERTIONS[backend](address, replace(address, secret=props.get("root") or address.secret))
        live = PROBES[backend](address, limit)
        address.settle()
    return live


def _unless_refused(probe: Probe, address: Address, limit: float) -> Props | None:
    try:
        return probe(address, limit)
    except (RefusedError, UnpreparedError):
        return None


class _Container:
    """The container that is waited for."""

    def __init__(self, client: "docker.DockerClient", name: str, id_: str) -> None:
        self.name = name
        self._containers, self._id = client.containers, id_
        self._restarts: int | None = None  # of its life so far, which may be a long one
        self._refuses_since: float | None = None

    def hopeless(self, error: SliceError) -> str | None:
        """Why waiting longer helps nobody after `error`, if that is so."""
        container = find(self._containers.get, self._id)
        if container is None:
            return "does not exist any more"
        state, restarts = container.attrs["State"], container.attrs["RestartCount"]
        if state["Status"] in ("exited", "dead", "created"):
            return f"is stopped (exit code {state['ExitCode']}); start it with: docker start {self.name}"
        self._restarts = restarts if self._restarts is None else self._restarts
        again = restarts - self._restarts
        if again >= RESTARTS:
            return f"has stopped {again} times by itself"
        return self._refuses(error)

    def _refuses(self, error: SliceError) -> str | None:
        now = time.monotonic()
        if not isinstance(error, RefusedError):
            self._refuses_since = None
        elif self._refuses_since is None:
            self._refuses_since = now
        elif now - self._refuses_since > REFUSALS:
            return f"refuses its administrator. Its start script asserts the password: docker restart {self.name}"
        return None

    def log(self) -> str:
        tail: bytes | None = find(lambda id_: self._containers.get(id_).logs(tail=LOG_LINES), self._id)
        text = (tail or b"").decode(errors="replace").strip()
        return f"\nThe end of its log:\n{text}" if text else ""
