"""A Redis that one application has for itself: a password is enough, all keys are its own, and the server is not."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import docker
import pytest
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError
from redis.exceptions import ConnectionError as ConnectionLost

from components.slices.admin import Address
from components.slices.redis.connection import connect
from components.slices.redis.default_user import RULES, RedisDefaultUserProvider
from components.slices.resource import Props
from tests.slices.servers import REDIS, Kind, Server, eventually, redis_session, server

pytestmark = pytest.mark.docker

# Its login is made of the administrator's first password here.
DEDICATED_REDIS = replace(
    REDIS,
    files={**REDIS.files, "login.sha256": "sha256"},
    environment={"STRATA_DEFAULT_USER": " ".join(RULES)},
)
USER = RedisDefaultUserProvider()
PASSWORD = "application-1"

# What would harm if it were allowed fails on its arguments instead: Redis checks permission first.
ADMINISTRATIVE = [
    "CONFIG SET nosuchsetting 1",
    "CONFIG GET requirepass",
    "CONFIG REWRITE",
    "ACL LIST",
    "ACL SETUSER x",
    "ACL SAVE",
    "DEBUG NOSUCH",
    "MODULE LIST",
    "MODULE LOAD x y z",
    "REPLICAOF nohost noport",
    "SHUTDOWN NOSUCHOPTION",
    "SAVE",
    "BGSAVE NOSUCHOPTION",
    "BGREWRITEAOF",
    "MIGRATE nohost noport key 0 1",
    "CLIENT KILL ID 0",
    "CLIENT LIST",
    "MONITOR",
    "SLOWLOG GET",
    "LATENCY RESET nosuchevent",
    "FAILOVER NOSUCH",
    "PSYNC x y",
]


@pytest.fixture(scope="module")
def dedicated(client: docker.DockerClient) -> Iterator[Server]:
    with server(client, DEDICATED_REDIS) as made:
        yield made.start().ready()


def made(on: Server, password: str = PASSWORD) -> Props:
    outputs = USER.create(on.props(password=password)).outs
    assert outputs is not None
    return outputs


def test_a_password_without_a_name_is_enough_and_all_keys_are_the_applications(dedicated: Server) -> None:
    made(dedicated)
    with redis_session(dedicated, None, PASSWORD) as session:
        session.set("user:123", "v", ex=60)
        assert session.get("user:123") == "v"
        assert session.keys("user:*") == ["user:123"]
        session.publish("news", "x")
        assert session.select(1)
        assert session.info("server")["redis_version"]
        session.flushdb()
    for password in ("wrong", ""):
        with pytest.raises(AuthenticationError), redis_session(dedicated, None, password or None) as session:
            session.ping()


@pytest.mark.parametrize("command", ADMINISTRATIVE)
def test_what_administers_the_server_is_refused(dedicated: Server, command: str) -> None:
    made(dedicated)
    # DEBUG and the like are refused by the server's configuration before the rules are asked.
    with (
        redis_session(dedicated, None, PASSWORD) as session,
        pytest.raises((NoPermissionError, ResponseError), match=r"(?i)permission|not allowed"),
    ):
        session.execute_command(*command.split())


def test_the_login_works_before_any_slice_and_after_a_restart(fresh: Callable[[Kind], Server]) -> None:
    made_here = fresh(DEDICATED_REDIS).start()
    first = made_here.password
    made_here.ready()
    with redis_session(made_here, None, first) as session:
        assert session.ping()
    outputs = made(made_here)
    made_here.kill()
    made_here.running.start()
    made_here.look().ready()
    # The secrets volume of this test still has the first one; a stack writes the new one there before the slice acts.
    with redis_session(made_here, None, first) as session:
        assert session.ping()
    found = USER.read("default", {**outputs, **made_here.props()}).outs or {}
    wanted = made_here.props(password=PASSWORD)
    assert USER.diff("default", found, wanted).changes is True, "a refresh does not see the other password"


def test_what_the_start_script_gives_is_what_the_slice_gives(fresh: Callable[[Kind], Server]) -> None:
    made_here = fresh(DEDICATED_REDIS).start().ready()
    with connect(Address.of(made_here.props())) as admin:
        at_start = admin.users()["default"]
    assert made(made_here, made_here.password)["rules"] == at_start


def test_a_shared_server_lets_nobody_in_without_a_name(fresh: Callable[[Kind], Server]) -> None:
    """Also on a volume on which somebody did: that of a Redis that was an application's own."""
    made_here = fresh(DEDICATED_REDIS).start().ready()
    made(made_here)
    made_here.stop()
    made_here.kind = REDIS
    made_here.start().ready()
    for password in (PASSWORD, made_here.password, None):
        with pytest.raises(AuthenticationError), redis_session(made_here, None, password) as session:
            session.ping()


def test_another_password_is_planned_and_ends_the_one_before(dedicated: Server) -> None:
    outputs = made(dedicated)
    wanted = dedicated.props(password="application-2")
    assert USER.diff("default", outputs, dedicated.props(password=PASSWORD)).changes is False
    assert USER.diff("default", outputs, wanted).changes is True
    assert PASSWORD not in str(outputs)
    USER.update("default", outputs, wanted)
    with redis_session(dedicated, None, "application-2") as session:
        assert session.ping()
    with pytest.raises(AuthenticationError), redis_session(dedicated, None, PASSWORD) as session:
        session.ping()


def test_drift_is_found_by_refresh(dedicated: Server) -> None:
    outputs = made(dedicated)
    with connect(Address.of(dedicated.props())) as admin:
        admin.command("ACL SETUSER", "default", "nopass")
    found = USER.read("default", outputs).outs or {}
    assert USER.diff("default", found, dedicated.props(password=PASSWORD)).changes is True
    made(dedicated)


def test_delete_ends_connections_and_keeps_keys(dedicated: Server) -> None:
    outputs = made(dedicated)
    with redis_session(dedicated, None, PASSWORD) as session:
        session.set("kept", "1")
        USER.delete("default", outputs)
        with pytest.raises((ConnectionLost, NoPermissionError, AuthenticationError)):
            session.get("kept")
    with pytest.raises(AuthenticationError), redis_session(dedicated, None, PASSWORD) as session:
        session.ping()
    made(dedicated)
    eventually(lambda: _value(dedicated) == "1")


def _value(on: Server) -> str | None:
    with redis_session(on, None, PASSWORD) as session:
        found: str | None = session.get("kept")
        return found
