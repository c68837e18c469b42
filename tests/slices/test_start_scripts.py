"""The start scripts, in containers as hardened as the components make them."""

import hashlib
import time
from collections.abc import Callable

import psycopg
import pytest
import redis as redis_client

from components import scripts
from components.slices import SliceError
from components.slices.admin import Address
from components.slices.postgres.connection import connect, scalar
from components.slices.ready import ReadyProvider
from components.slices.redis.connection import connect as connect_redis
from components.slices.secret_file import SecretFileProvider
from tests.slices.servers import POSTGRES, REDIS, Kind, Server, eventually, redis_session

pytestmark = pytest.mark.docker
Fresh = Callable[[Kind], Server]

both = pytest.mark.parametrize("kind", [POSTGRES, REDIS], ids=lambda kind: kind.name)


@pytest.fixture
def running(postgres: Server, redis: Server) -> dict[str, Server]:
    return {"postgres": postgres, "redis": redis}


def identity(server: Server) -> str:
    result = ReadyProvider().create(server.ready_props(deadline=60.0))
    assert result.outs is not None
    return str(result.outs["identity"])


@both
def test_kept_volume_accepts_the_new_password_only(kind: Kind, fresh: Fresh) -> None:
    server = fresh(kind).start("the-first-password")
    before = identity(server)
    server.stop()

    server.start("the-second-password")
    assert identity(server) == before, "the volume was not taken over"
    with pytest.raises((psycopg.OperationalError, redis_client.exceptions.AuthenticationError)):
        _log_in(server, "the-first-password")
    assert "the-first-password" not in server.log()
    assert "the-second-password" not in server.log()


def _log_in(server: Server, password: str) -> None:
    if server.kind is POSTGRES:
        psycopg.connect(host="127.0.0.1", port=server.port, user="postgres", password=password).close()
    else:
        with redis_session(server, "admin", password) as client:
            client.ping()


@both
def test_health_check_passes_with_the_password_and_fails_without(kind: Kind, running: dict[str, Server]) -> None:
    server = running[kind.name]
    check = scripts.HEALTHCHECKS[kind.name]
    assert check[0] == "CMD"
    code, output = server.running.exec_run(check[1:])
    assert code == 0, output
    try:
        SecretFileProvider().create(server.secret_props(content="another password than the server has"))
        assert server.running.exec_run(check[1:]).exit_code != 0, "a refused login must not count as healthy"
    finally:
        SecretFileProvider().create(server.secret_props())


@both
def test_stops_cleanly_and_at_once(kind: Kind, fresh: Fresh) -> None:
    server = fresh(kind).start()
    server.ready()
    began = time.monotonic()
    server.running.stop(timeout=30)
    assert time.monotonic() - began < 10
    said = "database system is shut down" if kind is POSTGRES else "Redis is now ready to exit"
    assert said in server.log()
    server.running.reload()
    assert server.running.attrs["State"]["ExitCode"] == 0


@both
def test_second_container_on_the_same_volume_is_refused(kind: Kind, running: dict[str, Server], fresh: Fresh) -> None:
    twin = fresh(kind)
    own, twin.data = twin.data, running[kind.name].data
    try:
        twin.start()
        assert twin.running.wait(timeout=20)["StatusCode"] == 1
        assert "another container uses this volume" in twin.log()
    finally:
        twin.data = own


def test_sigkill_during_initdb_leaves_a_volume_that_starts(fresh: Fresh) -> None:
    server = fresh(POSTGRES).start()
    for moment in range(4):
        # Each time a little later: half a directory, half a cluster, an unsynced one, perhaps a renamed one.
        time.sleep(0.15 * moment)
        server.kill()
        server.drop()
        server.start(server.password)
    assert identity(server)
    assert "pgdata.new" not in server.run("ls", "-a", POSTGRES.data)


def test_sigkill_keeps_what_was_committed(fresh: Fresh) -> None:
    server = fresh(POSTGRES).start()
    server.ready()
    with connect(Address.of(server.props())) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    server.kill()
    server.running.start()
    server.look().ready()
    with connect(Address.of(server.props())) as connection:
        assert scalar(connection, "SELECT count(*) FROM kept") == 1000


def test_foreign_files_in_the_place_of_the_cluster_are_refused_not_removed(fresh: Fresh) -> None:
    server = fresh(POSTGRES)
    server.client.containers.run(
        server.image,
        entrypoint=["sh", "-c", "mkdir $PGDATA && echo precious >$PGDATA/file"],
        environment=POSTGRES.environment,
        volumes={server.data: {"bind": POSTGRES.data, "mode": "rw"}},
        user="999:999",
        remove=True,
    )
    server.start()
    assert server.running.wait(timeout=20)["StatusCode"] == 1
    assert "no Postgres cluster" in server.log()


def test_postgres_is_pid_1_with_checksums_and_a_portable_locale(postgres: Server) -> None:
    assert postgres.run("cat", "/proc/1/comm").strip() == "postgres"
    with connect(Address.of(postgres.props())) as connection:
        assert scalar(connection, "SHOW data_checksums") == "on"
        assert scalar(connection, "SELECT datlocprovider FROM pg_database WHERE datname = 'postgres'") == "b"
        assert scalar(connection, "SHOW shared_buffers") == "32MB"


def test_postgres_refuses_a_secret_that_is_no_verifier(fresh: Fresh) -> None:
    server = fresh(POSTGRES)
    props = server.secret_props(content="plain", files={"verifier": "plain", "admin": "plain"})
    server.kind = Kind(**{**vars(POSTGRES), "files": props["files"]})
    server.start()
    assert server.running.wait(timeout=20)["StatusCode"] == 1
    assert "holds no SCRAM-SHA-256 verifier" in server.log()


@both
def test_missing_secret_is_named(kind: Kind, fresh: Fresh) -> None:
    server = fresh(kind)
    server.kind = Kind(**{**vars(kind), "files": {}})
    server.start()
    assert server.running.wait(timeout=20)["StatusCode"] == 1
    assert "/run/strata/secrets/" in server.log()
    assert "strata up" in server.log()


def test_redis_answers_nobody_without_a_password(redis: Server) -> None:
    with pytest.raises(redis_client.exceptions.AuthenticationError), redis_session(redis) as session:
        session.ping()


def test_redis_users_and_data_survive_sigkill(fresh: Fresh) -> None:
    server = fresh(REDIS).start()
    before = identity(server)
    with connect_redis(Address.of(server.props())) as connection:
        connection.command("ACL SETUSER", "somebody", "on", "#" + hashlib.sha256(b"x").hexdigest(), "~a:*", "+get")
        connection.save()
        connection.command("SET", "a:1", "kept")
        connection.command("WAITAOF", "1", "0", "2000")
    server.kill()
    server.running.start()
    server.look()
    assert identity(server) == before
    with redis_session(server, "somebody", "x") as client:
        assert client.get("a:1") == "kept"


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        ("rm /data/users.acl", "missing"),
        ("truncate -s -3 /data/users.acl", "cut off"),
        (": >/data/users.acl", "empty"),
    ],
)
def test_redis_starts_with_a_damaged_acl_file_and_shows_it_by_another_identity(
    damage: str, what: str, fresh: Fresh
) -> None:
    server = fresh(REDIS).start()
    before = identity(server)
    with connect_redis(Address.of(server.props())) as connection:
        connection.command("ACL SETUSER", "zeta", "on", "nopass", "~a:*", "+get")  # the last line of the file
        connection.save()
    server.run("sh", "-c", damage)
    server.kill()
    server.running.start()
    server.look()
    assert identity(server) != before, f"slices would not learn that the ACL file was {what}"


def test_ready_reports_the_log_of_a_container_that_cannot_start(fresh: Fresh) -> None:
    server = fresh(POSTGRES)
    server.kind = Kind(**{**vars(POSTGRES), "arguments": ("-c", "shared_buffers=nonsense")})
    server.start()
    eventually(lambda: server.look().running.status == "exited")
    with pytest.raises(SliceError, match=r"(?s)is stopped \(exit code 1\).*The end of its log.*nonsense"):
        ReadyProvider().create(server.ready_props(deadline=30.0))
