"""Postgres as every application that has a slice of it: it works with the own credentials, and with no others."""

import psycopg
import pytest
from psycopg import errors

from infra.contract import StackContract
from tests.smoke import clients

pytestmark = pytest.mark.quick


@pytest.fixture
def app(contract: StackContract) -> str:
    """One application is enough here: the isolation of all of them is a matter of their own tests."""
    names = [name for name, slices in contract.applications.items() if slices.postgres]
    if not names:
        pytest.skip("no application of this stack uses Postgres")
    return names[0]


def refused(contract: StackContract, app: str, **changed: str) -> str:
    """The server's reason for refusing a session with these facts changed."""
    with pytest.raises(psycopg.OperationalError) as caught, clients.postgres(contract, app, **changed):
        pytest.fail(f"a session was given with {', '.join(changed)} changed")
    return str(caught.value)


def test_a_session_is_the_applications_own(contract: StackContract, app: str) -> None:
    slice_ = contract.applications[app].postgres
    assert slice_
    with clients.postgres(contract, app) as connection:
        found = connection.execute("SELECT current_user, current_database(), current_setting('server_version')")
        user, database, version = found.fetchone() or ("", "", "")
    assert (user, database) == (slice_.username, slice_.database)
    assert contract.backends.postgres
    assert version.split()[0] == contract.backends.postgres.version.split()[0]


def test_no_login_is_powerful(contract: StackContract, app: str) -> None:
    with clients.postgres(contract, app) as connection:
        found = connection.execute(
            "SELECT rolname FROM pg_roles WHERE pg_has_role(current_user, oid, 'MEMBER')"
            " AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)"
        ).fetchall()
    assert not found, f"{app} can become {found}, which may do more than its slice"


def test_no_password_is_refused(contract: StackContract, app: str) -> None:
    assert "no password supplied" in refused(contract, app, password="")


def test_a_wrong_password_is_refused(contract: StackContract, app: str) -> None:
    assert "password authentication failed" in refused(contract, app, password="not-the-password")


def test_another_roles_password_is_refused(contract: StackContract, app: str) -> None:
    reader = clients.postgres_credential(contract, app).readonly
    other = reader.password.get_secret_value() if reader else clients.redis_password(contract, app)
    assert "password authentication failed" in refused(contract, app, password=other)


def test_the_administrator_does_not_take_the_applications_password(contract: StackContract, app: str) -> None:
    own = clients.postgres_credential(contract, app).password.get_secret_value()
    assert "password authentication failed" in refused(contract, app, username="postgres", password=own)


@pytest.mark.parametrize("database", ["postgres", "template1"])
def test_another_database_is_refused(contract: StackContract, app: str, database: str) -> None:
    reason = refused(contract, app, database=database)
    assert "permission denied for database" in reason or "does not have CONNECT privilege" in reason


def test_the_readonly_login_reads_and_does_not_write(contract: StackContract, app: str) -> None:
    reader = clients.postgres_credential(contract, app).readonly
    if reader is None:
        pytest.skip(f"{app} has no read-only login")
    facts = {"username": reader.username, "password": reader.password.get_secret_value()}
    with clients.postgres(contract, app, **facts) as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'strata')"
        ).fetchall()
        for (table,) in tables:
            with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
                connection.execute(f"DELETE FROM {table} WHERE false")
        with pytest.raises((errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)), connection.transaction():
            connection.execute("CREATE TABLE public.smoke (id int)")
