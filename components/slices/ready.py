"""A backend that answers its administrator: what everything inside it waits for."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Final

import pulumi
from pulumi.dynamic import CheckFailure, Resource

from components.slices.admin import Address, AdminRef
from components.slices.carrier import carrier
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

INTERVAL: Final = 0.1  # seconds between two probes
PLAN_LIMIT: Final = 2  # seconds that a plan waits for an answer


@dataclass(frozen=True, kw_only=True)
class ReadyArgs:
    """`backend` is `postgres`, `redis`, `qdrant` or `object_store`; `deadline` in seconds.

    `credential` changes with the administrator's, and says nothing about it. `root` names the secret with which the
    administrator is made, where the backend has one. `container` and its log are quoted in errors; in a cluster it is
    the pod, and `container_id` whatever changes with it.
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
        with carrier(props) as carried:
            while True:
                try:
                    return _admitted(props)
                except SliceError as error:
                    hopeless = carried.hopeless(error)
                    if hopeless or time.monotonic() > end:
                        reason = hopeless or f"is not ready within {limit:g} s"
                        raise SliceError(f"{carried.name} {reason}. {error}{carried.log()}") from None
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
