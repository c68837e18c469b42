"""Roles of Postgres, and the verifiers of their passwords."""

import secrets
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from components.slices import SliceError
from components.slices.admin import Address
from components.slices.postgres import scram
from components.slices.postgres.connection import connect, run
from components.slices.resource import Props
from tests.slices.postgres_inside import (
    ROLE,
    admin_query,
    enter,
    give_database,
    login,
    made,
)
from tests.slices.servers import Server


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


@pytest.mark.docker
def test_roles_made_at_the_same_time_do_not_disturb_each_other(postgres: Server, name: str) -> None:
    names = [f"{name}_{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda role: ROLE.create(login(postgres, role, member_of=["pg_monitor"])), names))
    query = "SELECT count(*) FROM pg_auth_members JOIN pg_roles ON member = pg_roles.oid WHERE starts_with(rolname, %s)"
    assert admin_query(postgres, query, f"{name}_") == [(8,)]
