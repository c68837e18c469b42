"""Another password of the administrator, given to a server that goes on running."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import psycopg
import pytest
import redis as redis_client
from minio.error import S3Error

from components import scripts
from components.secretfiles import previous_secrets, secret_path
from components.slices import SliceError, carrier
from components.slices.admin import Address
from components.slices.object_store.connection import ROOT, USER
from components.slices.object_store.connection import connect as connect_object_store
from components.slices.postgres.connection import connect as connect_postgres
from components.slices.ready import ASSERTIONS, ReadyProvider
from tests.slices.object_store_inside import get, put, tenant
from tests.slices.servers import (
    OBJECT_STORE,
    POSTGRES,
    REDIS,
    STACK,
    Kind,
    Server,
    eventually,
    redis_session,
    s3_session,
)

pytestmark = pytest.mark.docker
Fresh = Callable[[Kind], Server]
REFUSALS = (psycopg.OperationalError, redis_client.AuthenticationError, S3Error)
FIRST, SECOND, THIRD = (f"the-{nth}-password" for nth in ("first", "second", "third"))


@pytest.fixture(params=[POSTGRES, REDIS, OBJECT_STORE], ids=lambda kind: kind.name)
def server(request: pytest.FixtureRequest, fresh: Fresh) -> Server:
    """A running server whose administrator has the first password."""
    return fresh(request.param).start(FIRST).ready()


@pytest.fixture(params=[POSTGRES, REDIS], ids=lambda kind: kind.name)
def rootless(request: pytest.FixtureRequest, fresh: Fresh) -> Server:
    """The same, of a backend that has nobody above the administrator."""
    return fresh(request.param).start(FIRST).ready()


def log_in(server: Server, password: str) -> None:
    match server.kind.name:
        case "postgres":
            with psycopg.connect(host="127.0.0.1", port=server.port, user="postgres", password=password):
                pass
        case "redis":
            with redis_session(server, "admin", password) as session:
                session.ping()
        case _:
            s3_session(server, "admin", password).list_buckets()


@contextmanager
def session(server: Server, password: str) -> Iterator[Callable[[], object]]:
    """An administrator's open session; calling it uses it."""
    if server.kind is POSTGRES:
        address = f"host=127.0.0.1 port={server.port} user=postgres"
        with closing(psycopg.connect(address, password=password, autocommit=True)) as postgres:
            yield lambda: postgres.execute("SELECT 1")
    else:
        with redis_session(server, "admin", password) as redis:
            redis.ping()
            yield redis.ping


def accepts_only(server: Server, password: str) -> None:
    log_in(server, password)
    for other in {FIRST, SECOND, THIRD} - {password}:
        with pytest.raises(REFUSALS):
            log_in(server, other)
    assert previous_secrets(STACK, server.secret) == [], "an old password lies about"


def root_of(server: Server) -> Address:
    return replace(Address.of(server.props()), secret=f"{server.name}/root")


def run_of(server: Server) -> tuple[str, str]:
    server.look()
    return str(server.running.id), str(server.running.attrs["State"]["StartedAt"])


def test_a_running_server_takes_the_new_password_and_refuses_the_old_one(server: Server) -> None:
    before = run_of(server)
    server.rotate(SECOND)
    server.ready()
    accepts_only(server, SECOND)
    assert run_of(server) == before, "it was restarted"
    for secret in (FIRST, SECOND):
        assert secret not in server.log()
    server.running.restart(timeout=30)
    server.look().ready()
    accepts_only(server, SECOND)


def test_two_passwords_that_the_server_never_heard_of_are_no_matter(server: Server) -> None:
    server.rotate(SECOND)
    server.rotate(THIRD)
    server.ready()
    accepts_only(server, THIRD)


def test_a_run_that_was_killed_after_the_server_took_the_password_loses_nothing(server: Server) -> None:
    server.rotate(SECOND)
    ASSERTIONS[server.kind.name](Address.of(server.props()), root_of(server))
    server.rotate(THIRD)  # now the server accepts neither what is wanted nor what was first
    server.ready()
    accepts_only(server, THIRD)


def test_a_server_that_was_stopped_meanwhile_takes_it_when_it_starts(server: Server) -> None:
    server.running.stop(timeout=30)
    server.rotate(SECOND)
    server.running.start()
    server.look().ready()
    accepts_only(server, SECOND)


def test_what_the_old_password_opened_is_closed(rootless: Server) -> None:
    with session(rootless, FIRST) as use:
        rootless.rotate(SECOND)
        rootless.ready()
        with pytest.raises((psycopg.OperationalError, redis_client.ConnectionError)):
            use()


def test_and_so_it_is_after_a_run_that_was_killed_between_the_two(rootless: Server) -> None:
    with session(rootless, FIRST) as use, session(rootless, FIRST) as change:
        rootless.rotate(SECOND)
        by_hand(rootless, SECOND)
        assert use(), "the test would prove nothing"
        rootless.ready()
        for old in (use, change):
            with pytest.raises((psycopg.OperationalError, redis_client.ConnectionError)):
                old()


def by_hand(server: Server, password: str) -> None:
    """The first half of an assertion."""
    if server.kind is POSTGRES:
        address = f"host=127.0.0.1 port={server.port} user=postgres password={FIRST}"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"ALTER ROLE postgres PASSWORD '{password}'")
    else:
        with redis_session(server, "admin", FIRST) as connection:
            connection.execute_command("ACL SETUSER", "admin", "resetpass", f">{password}")


def test_a_login_of_an_application_keeps_its_session(fresh: Fresh) -> None:
    server = fresh(POSTGRES).start(FIRST).ready()
    with connect_postgres(Address.of(server.props())) as admin:
        admin.execute("CREATE ROLE app LOGIN PASSWORD 'of-the-app'")
        admin.execute("CREATE DATABASE app OWNER app")
    address = f"host=127.0.0.1 port={server.port} dbname=app user=app password=of-the-app"
    with session(server, FIRST) as use, closing(psycopg.connect(address, autocommit=True)) as app:
        server.rotate(SECOND)
        server.ready()
        assert app.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(psycopg.OperationalError):
            use()


def test_without_an_earlier_password_the_error_says_what_to_do_and_that_helps(
    rootless: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    rootless.rotate(SECOND)
    secret_path(STACK, f"{rootless.secret}.previous").unlink()
    with monkeypatch.context() as impatient:
        impatient.setattr(carrier, "REFUSALS", 0.3)
        with pytest.raises(SliceError, match=rf"password: docker restart {rootless.name}\b") as caught:
            ReadyProvider().create(rootless.ready_props(deadline=60.0))
    assert SECOND not in str(caught.value)
    rootless.running.restart(timeout=30)
    rootless.look().ready()
    accepts_only(rootless, SECOND)


def test_a_password_that_comes_while_postgres_starts_is_the_one_that_its_script_asserts(fresh: Fresh) -> None:
    server = fresh(POSTGRES).start(FIRST)
    eventually(lambda: "The files belonging to this database system" in server.log())  # initdb; the secret was read
    server.running.pause()
    assert "REVOKE ALL ON DATABASE" not in server.log(), "too late: the script has asserted it"
    server.rotate(SECOND)
    server.running.unpause()
    eventually(lambda: "REVOKE ALL ON DATABASE" in server.log(), within=60)  # it follows the verifier's statement
    log_in(server, SECOND)


def test_an_administrator_whom_somebody_took_away_comes_back(fresh: Fresh) -> None:
    server = fresh(OBJECT_STORE).start().ready()
    props = server.ready_props()
    outputs = ReadyProvider().create(props).outs or {}
    assert ReadyProvider().diff("", outputs, props).changes is False
    with connect_object_store(root_of(server), user=ROOT) as root:
        root.admin.policy_set("readonly", user=USER)
        assert ReadyProvider().diff("", outputs, props).changes is True
        server.ready()
        root.remove_user(USER)
        assert ReadyProvider().diff("", outputs, props).changes is True
        server.ready()
    log_in(server, server.password)


def test_a_volume_whose_administrator_was_root_keeps_its_users_and_objects(
    fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to the first release with a root of its own, MinIO's root was called `admin`."""
    text = scripts.read("object_store")
    assert "MINIO_ROOT_USER=root" in text
    with monkeypatch.context() as older:
        older.setattr(scripts, "read", lambda name: text.replace("MINIO_ROOT_USER=root", "MINIO_ROOT_USER=admin"))
        server = fresh(OBJECT_STORE).start(FIRST, root=FIRST).ready()
        put(tenant(server, "alfred"), "alfred", "kept", b"yes")
        server.stop()
    server.start(FIRST).ready()
    assert get(s3_session(server, "alfred", "secret-of-a-user"), "alfred", "kept") == b"yes"
    accepts_only(server, FIRST)
    assert get(s3_session(server, "root", server.root), "alfred", "kept") == b"yes"
