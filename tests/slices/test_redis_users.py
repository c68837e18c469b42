"""Redis users: what a prefix opens, and above all what it does not."""

import re
import secrets
from collections.abc import Iterator
from typing import Any, TypeAlias

import pytest
import redis as redis_client
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError
from redis.exceptions import ConnectionError as ConnectionLost

from components.slices import SliceError
from components.slices.admin import Address
from components.slices.redis.connection import connect
from components.slices.redis.roster import RedisRosterProvider
from components.slices.redis.user import RedisUserProvider, is_marked
from components.slices.resource import Props
from tests.slices.servers import Server, redis_session

USER, ROSTER = RedisUserProvider(), RedisRosterProvider()
PASSWORD = "secret-1"
Session: TypeAlias = redis_client.Redis


@pytest.fixture
def name(redis: Server) -> Iterator[str]:
    made = f"u{secrets.token_hex(4)}"
    yield made
    with connect(Address.of(redis.props())) as admin:
        strays = [user for user in admin.users() if user.startswith(made)]
        admin.command("ACL DELUSER", made, *strays)
        admin.command("FLUSHALL")


def user(server: Server, name: str, **more: Any) -> Props:
    return server.props(**{"name": name, "password": PASSWORD, "prefix": f"{name}:", **more})


def made(props: Props) -> Props:
    outputs = USER.create(props).outs
    assert outputs is not None
    return outputs


def enter(server: Server, name: str, password: str = PASSWORD) -> Session:
    return redis_session(server, name, password)


def admin_command(server: Server, *arguments: str) -> Any:
    with connect(Address.of(server.props())) as admin:
        return admin.command(*arguments)


@pytest.mark.docker
def test_a_user_works_within_its_prefix(redis: Server, name: str) -> None:
    made(user(redis, name))
    with enter(redis, name) as session:
        session.set(f"{name}:k", "v", ex=60)
        session.hset(f"{name}:h", "f", "1")
        session.lpush(f"{name}:l", "b", "a")
        assert session.get(f"{name}:k") == "v"
        assert session.eval("return redis.call('GET', KEYS[1])", 1, f"{name}:k") == "v"
        assert sorted(session.scan_iter(match=f"{name}:*")) == [f"{name}:{key}" for key in "hkl"]
        assert session.info("server")["redis_version"]
        with session.pipeline(transaction=True) as pipe:
            pipe.incr(f"{name}:n").expire(f"{name}:n", 5)
            assert pipe.execute() == [1, True]
        with session.pubsub() as channel:
            channel.subscribe(f"{name}:news")
            assert channel.get_message(timeout=5)
    with pytest.raises(AuthenticationError):
        enter(redis, name, "wrong").ping()


# Every way that was thought of to reach a key, a channel, a script, a client or the server of somebody else. {p} is
# the user's prefix, `other:` is the neighbour's.
TRICKS = [
    "GET other:k", "SET other:k x", "DEL other:k", "UNLINK other:k", "EXISTS other:k", "TYPE other:k", "TTL other:k",
    "EXPIRE other:k 1", "PERSIST other:k", "RENAME other:k {p}k", "RENAME {p}k other:k2", "COPY other:k {p}k",
    "COPY {p}k {p}k2 DB 1", "MOVE {p}k 1", "SELECT 1", "SWAPDB 0 1", "RANDOMKEY", "DBSIZE", "KEYS *", "DUMP other:k",
    "RESTORE other:k2 0 x", "MIGRATE host 1 {p}k 0 1", "OBJECT ENCODING other:k", "OBJECT FREQ other:k",
    "SORT {p}l", "SORT {p}l BY other:* GET other:*", "SORT_RO {p}l GET other:*", "SORT {p}l STORE other:l",
    "SINTERSTORE {p}s other:s", "SUNION {p}s other:s", "ZUNIONSTORE {p}z 1 other:z", "PFMERGE {p}h other:h",
    "BITOP NOT other:b {p}k", "LMOVE other:l {p}l LEFT LEFT", "LCS {p}k other:k", "GETEX other:k", "GETDEL other:k",
    "MGET {p}k other:k", "MSET {p}k 1 other:k 2", "XREAD COUNT 1 STREAMS other:x 0",
    "GEOSEARCHSTORE {p}g other:g FROMLONLAT 0 0 BYRADIUS 1 m",
    "EVAL return(redis.call('GET','other:k')) 0", "EVAL return(redis.call('GET',KEYS[1])) 1 other:k",
    "EVAL_RO return(redis.call('GET','other:k')) 0", "EVAL return(redis.call('SELECT',1)) 0",
    "EVAL return(redis.call('KEYS','*')) 0", "FCALL f 0", "FCALL_RO f 0", "FUNCTION LIST", "FUNCTION FLUSH",
    "FUNCTION RESTORE x", "FUNCTION DUMP", "SCRIPT FLUSH", "SCRIPT KILL",
    "SUBSCRIBE other:news", "PSUBSCRIBE *", "PSUBSCRIBE other:*", "PUBLISH other:news x", "SPUBLISH other:news x",
    "SSUBSCRIBE other:news", "PUBSUB CHANNELS", "PUBSUB NUMSUB other:news",
    "CLIENT LIST", "CLIENT KILL TYPE normal", "CLIENT PAUSE 1", "CLIENT UNBLOCK 1", "CLIENT NO-EVICT on", "MONITOR",
    "DEBUG OBJECT other:k",
    "FLUSHALL", "FLUSHDB", "SAVE", "BGSAVE", "BGREWRITEAOF", "SHUTDOWN NOSAVE", "CONFIG GET *", "CONFIG SET save x",
    "ACL LIST", "ACL SETUSER x", "ACL GETUSER admin", "ACL SAVE", "SLOWLOG GET", "LATENCY RESET",
    "MEMORY USAGE other:k",
    "MODULE LIST", "REPLICAOF NO ONE", "ROLE", "SYNC", "PSYNC ? -1", "CLUSTER INFO", "FAILOVER", "LASTSAVE",
]  # fmt: skip

# By the user's rules, or for everybody by the server's configuration.
REFUSED = r"(?i)permission|ACL failure|DEBUG command not allowed|cluster support disabled"


@pytest.mark.docker
def test_nothing_foreign_is_reached_by_any_trick(redis: Server, name: str) -> None:
    made(user(redis, name))
    admin_command(redis, "SET", "other:k", "theirs")
    admin_command(redis, "RPUSH", "other:l", "theirs")
    library = "#!lua name=f\nredis.register_function('f', function() return 1 end)"
    admin_command(redis, "FUNCTION LOAD", "REPLACE", library)
    let_through = []
    with (
        redis_session(redis, "admin", redis.password) as listener,
        listener.pubsub() as channel,
    ):
        channel.subscribe("other:news")
        channel.get_message(timeout=5)
        for trick in TRICKS:
            with enter(redis, name) as session:
                session.set(f"{name}:k", "mine")
                session.rpush(f"{name}:l", "1")
                try:
                    answer = session.execute_command(*trick.format(p=f"{name}:").split(" "))
                except RedisError as refusal:
                    if not re.search(REFUSED, str(refusal)):
                        let_through.append((trick, str(refusal)))
                else:
                    let_through.append((trick, answer))
        assert channel.get_message(ignore_subscribe_messages=True) is None, "a message went to a foreign channel"
    assert let_through == []
    assert admin_command(redis, "GET", "other:k") == "theirs"
    assert admin_command(redis, "TTL", "other:k") == -1
    assert admin_command(redis, "FCALL", "f", "0") == 1
    assert "db1" not in admin_command(redis, "INFO", "keyspace")


@pytest.mark.docker
def test_nothing_changes_nothing_and_no_password_is_kept(redis: Server, name: str) -> None:
    props = user(redis, name)
    outputs = made(props)
    assert USER.diff(name, outputs, props).changes is False
    assert USER.diff(name, USER.read(name, outputs).outs or {}, props).changes is False
    assert PASSWORD not in str(outputs)
    assert PASSWORD not in redis.run("cat", "/data/users.acl"), "a password is in the ACL file"


@pytest.mark.docker
@pytest.mark.parametrize(
    "change", [{"password": "secret-2"}, {"prefix": "new:"}, {"identity": "x"}], ids=lambda change: next(iter(change))
)
def test_each_change_is_planned_and_carried_out(redis: Server, name: str, change: Props) -> None:
    props = user(redis, name)
    outputs, wanted = made(props), {**props, **change}
    assert USER.diff(name, outputs, wanted).changes is True
    updated = USER.update(name, outputs, wanted).outs or {}
    assert USER.diff(name, updated, wanted).changes is False
    with enter(redis, name, wanted["password"]) as session:
        session.set(f"{wanted['prefix']}k", "v")
        if "prefix" in change:
            with pytest.raises(NoPermissionError):
                session.get(f"{name}:k")
    if "password" in change:
        with pytest.raises(AuthenticationError):
            enter(redis, name).ping()


@pytest.mark.docker
def test_drift_is_found_by_refresh_and_put_right(redis: Server, name: str) -> None:
    props = user(redis, name)
    outputs = made(props)
    admin_command(redis, "ACL SETUSER", name, "allkeys", "+flushall")
    found = USER.read(name, outputs).outs or {}
    assert USER.diff(name, found, props).changes is True
    updated = USER.update(name, found, props).outs or {}
    with enter(redis, name) as session, pytest.raises(NoPermissionError):
        session.flushall()
    assert USER.diff(name, USER.read(name, updated).outs or {}, props).changes is False


@pytest.mark.docker
def test_delete_ends_connections_and_keeps_keys(redis: Server, name: str) -> None:
    outputs = made(user(redis, name))
    with enter(redis, name) as session:
        session.set(f"{name}:k", "kept")
        USER.delete(name, outputs)
        with pytest.raises(ConnectionLost):
            session.get(f"{name}:k")
    assert USER.read(name, outputs).id == ""
    USER.delete(name, outputs)
    assert admin_command(redis, "GET", f"{name}:k") == "kept"
    assert f"user {name} " not in redis.run("cat", "/data/users.acl")


@pytest.mark.docker
def test_the_roster_removes_stray_users_of_strata_and_nobody_else(redis: Server, name: str) -> None:
    kept, stray, foreign = f"{name}-kept", f"{name}-stray", f"{name}-foreign"
    made(user(redis, kept))
    made(user(redis, stray))
    admin_command(redis, "ACL SETUSER", foreign, "on", "nopass", "~x:*", "+get")
    with connect(Address.of(redis.props())) as admin:
        others = [each for each, rules in admin.users().items() if is_marked(rules) and not each.startswith(name)]
    props = redis.props(logins=[kept, *others])
    with enter(redis, stray) as session:
        session.ping()
        outputs = ROSTER.create(props).outs or {}
        with pytest.raises(ConnectionLost):
            session.ping()
    assert outputs["revoked"] == [stray]
    with connect(Address.of(redis.props())) as admin:
        assert sorted(each for each in admin.users() if each.startswith(name)) == [foreign, kept]
    assert ROSTER.diff("", outputs, props).changes is False
    made(user(redis, stray))
    assert ROSTER.diff("", ROSTER.read("", outputs).outs or {}, props).changes is True


@pytest.mark.docker
def test_read_raises_when_redis_does_not_answer_or_refuses(redis: Server, name: str) -> None:
    outputs = made(user(redis, name))
    elsewhere = {**outputs, "admin": {**redis.admin(), "port": 1.0}}
    with pytest.raises(SliceError, match=r"Redis at 127\.0\.0\.1:1: no answer.*docker ps"):
        USER.read(name, elsewhere)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"name": "a b"}, "would need quoting"),
        ({"name": "default"}, "belongs to the backend itself"),
        ({"name": "strata-identity-x"}, "belongs to the backend itself"),
        ({"name": "u" * 64}, "at most 63"),
        ({"prefix": "app"}, "would need quoting"),
        ({"prefix": "*:"}, "would need quoting"),
        ({"prefix": ""}, "would need quoting"),
        ({"password": ""}, "needs a password"),
    ],
)
def test_what_would_open_too_much_is_refused_by_the_plan(change: Props, complaint: str) -> None:
    props = {"name": "u", "password": "x", "prefix": "u:", **change}
    assert [complaint in failure.reason for failure in USER.check({}, props).failures] == [True]
