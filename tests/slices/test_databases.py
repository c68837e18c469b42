"""Databases of Postgres, and the roster of its logins."""

import psycopg
import pytest

from components.slices.admin import Address
from components.slices.postgres.connection import connect, run
from tests.slices.postgres_inside import DATABASE, ROLE, ROSTER, admin_query, enter, give_database, login, made
from tests.slices.servers import Server


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
