"""Roles, databases and the roster of Postgres."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from components.slices import SliceError
from components.slices.admin import Address
from components.slices.postgres import scram
from components.slices.postgres.connection import connect, run
from components.slices.postgres.database import DatabaseProvider
from components.slices.postgres.role import RoleProvider
from components.slices.postgres.roster import PostgresRosterProvider
from components.slices.resource import Props
from tests.slices.servers import Server

PASSWORD = "secret-1"
ROLE, DATABASE, ROSTER = RoleProvider(), DatabaseProvider(), PostgresRosterProvider()


@pytest.fixture
def name(postgres: Server) -> Iterator[str]:
    """A name for a role and a database of one test."""
    made = f"r_{secrets.token_hex(4)}"
    yield made
    with connect(Address.of(postgres.props())) as admin:
        run(admin, "DROP DATABASE IF EXISTS {} WITH (FORCE)", made)
        query = "SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)"
        for row in admin.execute(query, (made,)).fetchall():
            run(admin, "DROP ROLE {}", row[0])


def login(server: Server, name: str, **more: Any) -> Props:
    standard: Props = {"name": name, "login": True, "inherit": True, "password": PASSWORD, "connection_limit": -1.0}
    return server.props(**{**standard, **more})


def made(props: Props) -> Props:
    outputs = ROLE.create(props).outs
    assert outputs is not None
    return outputs


def enter(server: Server, user: str, password: str = PASSWORD, database: str = "postgres") -> psycopg.Connection[Any]:
    return psycopg.connect(
        host="127.0.0.1", port=server.port, user=user, password=password, dbname=database, autocommit=True
    )


def admin_query(server: Server, statement: str, *params: Any, database: str = "postgres") -> Any:
    with connect(Address.of(server.props()), database) as admin:
        return admin.execute(statement.encode(), params).fetchall()


def give_database(server: Server, name: str, **more: Any) -> Props:
    made(login(server, f"{name}_owner", login=False, password=None))
    outputs = DATABASE.create(server.props(name=name, owner=f"{name}_owner", **more)).outs
    assert outputs is not None
    return outputs


# -- SCRAM ------------------------------------------------------------------------------------------------------------


def test_verifier_is_the_one_that_postgres_would_make() -> None:
    # RFC 7677, section 3: user "user", password "pencil"; server key and stored key follow from its example.
    verifier = scram._verifier("pencil", b"[m\x99h\x9d\x125\x8e\xec\xa0K\x14\x126\xfa\x81", 4096)
    head, keys = verifier.rsplit("$", 1)[0], verifier.split("$", 2)[2]
    assert head == "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ=="
    assert keys == "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="


def test_verifier_matches_its_password_only() -> None:
    assert scram.matches("a", scram.verifier("a"))
    assert not scram.matches("b", scram.verifier("a"))
    assert not scram.matches("a", None)
    assert scram.verifier("a") != scram.verifier("a"), "without a salt, equal passwords show"


# -- roles ------------------------------------------------------------------------------------------------------------


@pytest.mark.docker
def test_a_login_works_with_its_password_and_is_nothing_special(postgres: Server, name: str) -> None:
    made(login(postgres, name))
    give_database(postgres, name, connect=[name])
    with enter(postgres, name, database=name) as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute("CREATE DATABASE x")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        enter(postgres, name, "wrong", database=name)


@pytest.mark.docker
def test_the_password_is_in_no_log_and_no_output(postgres: Server, name: str) -> None:
    password = secrets.token_hex(16)
    outputs = made(login(postgres, name, password=password))
    assert password not in str(outputs)
    assert f'ALTER ROLE "{name}"' in postgres.log(), "this server logs every statement"
    assert password not in postgres.log()


@pytest.mark.docker
def test_nothing_changes_nothing(postgres: Server, name: str) -> None:
    props = login(postgres, name, settings={"statement_timeout": "5000ms"}, member_of=[])
    outputs = made(props)
    assert ROLE.diff(name, outputs, props).changes is False
    read = ROLE.read(name, outputs)
    assert read.id == name
    assert ROLE.diff(name, read.outs or {}, props).changes is False, "a refresh made a change up"


@pytest.mark.docker
@pytest.mark.parametrize(
    "change",
    [
        {"password": "secret-2"},
        {"connection_limit": 3.0},
        {"inherit": False},
        {"login": False},
        {"member_of": ["pg_monitor"]},
        {"settings": {"statement_timeout": "7s", "search_path": "a, b"}},
        {"identity": "of-another-server"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_each_change_is_planned_and_carried_out(postgres: Server, name: str, change: Props) -> None:
    old = login(postgres, name, settings={"statement_timeout": "5s"})
    outputs, wanted = made(old), {**old, **change}
    assert ROLE.diff(name, outputs, wanted).changes is True
    updated = ROLE.update(name, outputs, wanted).outs
    assert updated is not None
    assert ROLE.diff(name, updated, wanted).changes is False
    assert ROLE.diff(name, ROLE.read(name, updated).outs or {}, wanted).changes is False


@pytest.mark.docker
def test_settings_reach_the_session(postgres: Server, name: str) -> None:
    made(login(postgres, name, settings={"statement_timeout": "5s", "search_path": "a, b", "app.mode": "x"}))
    give_database(postgres, name, connect=[name])
    with enter(postgres, name, database=name) as session:
        settings = [session.execute(f"SHOW {s}").fetchone() for s in ("statement_timeout", "search_path", "app.mode")]
    assert settings == [("5s",), ("a, b",), ("x",)]


@pytest.mark.docker
@pytest.mark.parametrize(
    "drift",
    [
        "ALTER ROLE {} SUPERUSER CONNECTION LIMIT 9",
        "ALTER ROLE {} PASSWORD 'other'",
        "GRANT pg_monitor TO {}",
        "ALTER ROLE {} NOLOGIN",
        "ALTER ROLE {} SET work_mem = '1GB'",
    ],
)
def test_drift_is_found_by_refresh_and_put_right(postgres: Server, name: str, drift: str) -> None:
    props = login(postgres, name)
    outputs = made(props)
    with connect(Address.of(postgres.props())) as admin:
        admin.execute(drift.format(name).encode())
    found = ROLE.read(name, outputs).outs or {}
    assert ROLE.diff(name, found, props).changes is True
    updated = ROLE.update(name, found, props).outs or {}
    assert ROLE.diff(name, ROLE.read(name, updated).outs or {}, props).changes is False
    assert admin_query(postgres, "SELECT rolsuper FROM pg_roles WHERE rolname = %s", name) == [(False,)]


@pytest.mark.docker
def test_an_existing_role_is_adopted(postgres: Server, name: str) -> None:
    with connect(Address.of(postgres.props())) as admin:
        run(admin, "CREATE ROLE {} SUPERUSER LOGIN PASSWORD 'old'", name)
    made(login(postgres, name))
    assert admin_query(postgres, "SELECT rolsuper FROM pg_roles WHERE rolname = %s", name) == [(False,)]


@pytest.mark.docker
def test_delete_drops_a_role_that_owns_nothing_and_ends_its_sessions(postgres: Server, name: str) -> None:
    outputs = made(login(postgres, name))
    give_database(postgres, name)
    with connect(Address.of(postgres.props())) as admin:
        admin.execute("GRANT CONNECT ON DATABASE postgres TO PUBLIC")
    with enter(postgres, name) as session:
        with connect(Address.of(postgres.props())) as admin:
            admin.execute("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC")
        ROLE.delete(name, outputs)
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    assert ROLE.read(name, outputs).id == "", "the role should be gone"
    ROLE.delete(name, outputs)


@pytest.mark.docker
def test_delete_leaves_a_role_with_grants_without_access(postgres: Server, name: str) -> None:
    outputs = made(login(postgres, name, member_of=["pg_monitor"]))
    give_database(postgres, name, writers=[name])
    session = enter(postgres, name, database=name)
    ROLE.delete(name, outputs)
    with pytest.raises(psycopg.OperationalError):
        session.execute("SELECT 1")
    session.close()
    with pytest.raises(psycopg.OperationalError):
        enter(postgres, name, database=name)
    query = "SELECT rolcanlogin, rolpassword, (SELECT count(*) FROM pg_auth_members WHERE member = a.oid)"
    found = admin_query(postgres, f"{query} FROM pg_authid a WHERE rolname = %s", name)
    assert found == [(False, None, 0)]
    made(login(postgres, name))
    enter(postgres, name, database=name).close()


@pytest.mark.docker
def test_read_raises_when_postgres_does_not_answer_or_refuses(postgres: Server, name: str) -> None:
    outputs = made(login(postgres, name))
    elsewhere = {**outputs, "admin": {**postgres.admin(), "port": 1.0}}
    with pytest.raises(SliceError, match=r"Postgres at 127\.0\.0\.1:1: no answer.*docker ps"):
        ROLE.read(name, elsewhere)
    unnamed = {**outputs, "admin": {**postgres.admin(), "secret": "no/such"}}
    with pytest.raises(SliceError, match=r"no/such is missing\. `strata up"):
        ROLE.read(name, unnamed)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"name": "My Role"}, "would need quoting"),
        ({"name": "r" * 64}, "has 64 characters, and at most 63 are kept"),
        ({"name": "postgres"}, "belongs to the backend itself"),
        ({"name": "pg_monitor"}, "belongs to the backend itself"),
        ({"password": None}, "needs a password"),
        ({"password": "pä"}, "printable ASCII"),
        ({"settings": {"a b": "1"}}, "is no setting's name"),
    ],
)
def test_what_postgres_would_refuse_is_refused_by_the_plan(change: Props, complaint: str) -> None:
    props = {"name": "role", "login": True, "inherit": True, "password": "x", **change}
    failures = ROLE.check({}, props).failures
    assert [complaint in failure.reason for failure in failures] == [True]


# -- databases --------------------------------------------------------------------------------------------------------


@pytest.mark.docker
def test_readers_read_writers_write_and_others_do_not_even_connect(postgres: Server, name: str) -> None:
    reader, writer, other = (f"{name}_{kind}" for kind in ("reader", "writer", "other"))
    for role in (reader, writer, other):
        made(login(postgres, role))
    give_database(postgres, name, readers=[reader], writers=[writer])
    with connect(Address.of(postgres.props()), name) as admin:
        run(admin, "SET ROLE {}", f"{name}_owner")
        admin.execute("CREATE SCHEMA app; CREATE TABLE app.t (n serial, v int)")
    with enter(postgres, writer, database=name) as session:
        session.execute("INSERT INTO app.t (v) VALUES (1); UPDATE app.t SET v = 2")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("CREATE TABLE app.mine ()")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("DROP TABLE app.t")
    with enter(postgres, reader, database=name) as session:
        assert session.execute("SELECT v FROM app.t").fetchall() == [(2,)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("INSERT INTO app.t (v) VALUES (1)")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        enter(postgres, other, database=name)
    for administrators in ("postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            enter(postgres, writer, database=administrators)


@pytest.mark.docker
def test_adopting_a_database_gives_rights_on_what_is_there(postgres: Server, name: str) -> None:
    outputs = give_database(postgres, name)
    with connect(Address.of(postgres.props()), name) as admin:
        run(admin, "SET ROLE {}", f"{name}_owner")
        admin.execute("CREATE TABLE t AS SELECT 1 AS n")
    reader = f"{name}_reader"
    made(login(postgres, reader))
    wanted = postgres.props(name=name, owner=f"{name}_owner", readers=[reader])
    assert DATABASE.diff(name, outputs, wanted).changes is True
    updated = DATABASE.update(name, outputs, wanted).outs or {}
    with enter(postgres, reader, database=name) as session:
        assert session.execute("SELECT n FROM t").fetchall() == [(1,)]
    # And takes them back when the reader is no longer declared.
    DATABASE.update(name, updated, {**wanted, "readers": []})
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        enter(postgres, reader, database=name)
    ROLE.delete(reader, postgres.props(name=reader))
    assert admin_query(postgres, "SELECT 1 FROM pg_roles WHERE rolname = %s", reader) == [], "a grant was left"


@pytest.mark.docker
def test_database_without_change_drift_and_delete(postgres: Server, name: str) -> None:
    made(login(postgres, name))
    outputs = give_database(postgres, name, connect=[name])
    props = postgres.props(name=name, owner=f"{name}_owner", connect=[name])
    assert DATABASE.diff(name, outputs, props).changes is False
    assert DATABASE.diff(name, DATABASE.read(name, outputs).outs or {}, props).changes is False
    with connect(Address.of(postgres.props())) as admin:
        run(admin, "GRANT CONNECT ON DATABASE {} TO PUBLIC", name)
    found = DATABASE.read(name, outputs).outs or {}
    assert DATABASE.diff(name, found, props).changes is True
    DATABASE.update(name, found, props)
    assert DATABASE.diff(name, DATABASE.read(name, outputs).outs or {}, props).changes is False
    session = enter(postgres, name, database=name)
    DATABASE.delete(name, outputs)
    assert DATABASE.read(name, outputs).id == ""
    session.close()


def test_another_name_is_another_database() -> None:
    olds = {"name": "a", "owner": "o", "identity": "i", "admin": {}}
    diff = DATABASE.diff("a", olds, {**olds, "name": "b"})
    assert (diff.changes, diff.replaces) == (True, ["name"])


# -- roster -----------------------------------------------------------------------------------------------------------


@pytest.mark.docker
def test_the_roster_revokes_stray_logins_of_strata_and_nobody_else(postgres: Server, name: str) -> None:
    kept, stray, foreign = (f"{name}_{kind}" for kind in ("kept", "stray", "foreign"))
    for role in (kept, stray):
        made(login(postgres, role))
    with connect(Address.of(postgres.props())) as admin:
        run(admin, "CREATE ROLE {} LOGIN PASSWORD 'secret-1'", foreign)
    give_database(postgres, name, connect=[kept, stray])
    session = enter(postgres, stray, database=name)

    props = postgres.props(logins=[kept, *_other_logins(postgres, name)])
    outputs = ROSTER.create(props).outs or {}
    assert outputs["revoked"] == [stray]
    with pytest.raises(psycopg.OperationalError):
        session.execute("SELECT 1")
    session.close()
    logins = admin_query(
        postgres, "SELECT rolname FROM pg_roles WHERE rolcanlogin AND starts_with(rolname, %s) ORDER BY 1", name
    )
    assert logins == [(foreign,), (kept,)]

    assert ROSTER.diff("", outputs, props).changes is False
    assert ROSTER.diff("", outputs, {**props, "logins": props["logins"][1:]}).changes is True
    with connect(Address.of(postgres.props())) as admin:
        run(admin, "ALTER ROLE {} LOGIN", stray)
    found = ROSTER.read("", outputs).outs or {}
    assert ROSTER.diff("", found, props).changes is True, "a login that came back must show"


def _other_logins(server: Server, name: str) -> list[str]:
    query = "SELECT rolname FROM pg_roles WHERE rolcanlogin AND NOT starts_with(rolname, %s) AND rolname <> 'postgres'"
    return [row[0] for row in admin_query(server, query, name)]


@pytest.mark.docker
def test_roles_made_at_the_same_time_do_not_disturb_each_other(postgres: Server, name: str) -> None:
    names = [f"{name}_{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda role: ROLE.create(login(postgres, role, member_of=["pg_monitor"])), names))
    query = "SELECT count(*) FROM pg_auth_members JOIN pg_roles ON member = pg_roles.oid WHERE starts_with(rolname, %s)"
    assert admin_query(postgres, query, f"{name}_") == [(8,)]
