"""The application's database: a login, its schema, its rights."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from components import trust
from infra.checks.reach import SECONDS, FailedError, Reach

if TYPE_CHECKING:
    import psycopg

NAMED: Final = 6  # tables in the report

# What the application may become by SET ROLE counts as its own.
_TABLES: Final = """
    SELECT c.relname, EXISTS (
        SELECT FROM pg_roles r WHERE pg_has_role(current_user, r.oid, 'SET')
        AND has_schema_privilege(r.oid, n.oid, 'USAGE') AND has_table_privilege(r.oid, c.oid, 'SELECT'))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND n.nspname NOT IN ('strata', 'information_schema') AND NOT starts_with(n.nspname, 'pg_')
    ORDER BY c.oid
"""


def connected(reach: Reach) -> str:
    with _session(reach) as session:
        row = session.execute("SHOW server_version").fetchone()
    assert row
    return f"PostgreSQL connected: PostgreSQL {str(row[0]).split()[0]}"


def initialized(reach: Reach) -> str:
    """Every migration that the stack declares is applied, and the application can read what they made."""
    wanted = reach.slice.schema_version
    with _session(reach) as session:
        tables = session.execute(_TABLES).fetchall()
        applied = _applied(session)
    if wanted is None:
        return "Schema: the application declares none"
    if not tables or (applied is not None and applied != wanted):
        found = applied or "nothing"
        raise FailedError(f"Schema not initialized: {wanted} is declared, {found} is applied", "`strata up` applies it")
    closed = [name for name, may_read in tables if not may_read]
    if closed:
        hint = "`strata up --refresh` grants it again, or a migration of the application has to"
        raise FailedError(f"permission denied: {reach.credential.username} may not read {_some(closed)}", hint)
    return f"Schema initialized: {_some([name for name, _ in tables])}"


def _applied(session: "psycopg.Connection[Any]") -> str | None:
    """The last migration; None where the record is not open to applications."""
    visible = session.execute(
        "SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE nspname = 'strata' AND relname = 'migrations'"
    ).fetchone()
    if not visible or not visible[0]:
        return None
    row = session.execute("SELECT max(name) FROM strata.migrations").fetchone()
    return str(row[0]).removesuffix(".sql") if row and row[0] else ""


@contextmanager
def _session(reach: Reach) -> Iterator["psycopg.Connection[Any]"]:
    import psycopg

    credential, (host, port) = reach.credential, reach.address()
    try:
        with psycopg.connect(
            host=host,
            port=port,
            sslmode="verify-full" if reach.view.tls else "disable",
            sslrootcert=str(trust.ca_file(reach.ca)) if reach.ca else None,
            dbname=reach.slice.database,
            user=credential.username,
            password=credential.password.get_secret_value(),
            passfile="/dev/null",  # nobody else's password
            connect_timeout=SECONDS,
            options=f"-c statement_timeout={SECONDS}s",
        ) as session:
            yield session
    except psycopg.OperationalError as error:
        text = str(error)
        if "password authentication failed" in text:
            raise reach.refused() from None
        if "CONNECT privilege" in text or "does not exist" in text:
            said = text.strip().splitlines()[-1].rpartition("FATAL: ")[2].strip()
            raise FailedError(said, "`strata up --refresh` makes and grants it again") from None
        complaint = trust.complaint_of_postgres(error, host, port, reach.ca, timeout=SECONDS)
        raise reach.unreachable(text, complaint) from None
    except psycopg.Error as error:
        raise FailedError(" ".join(str(error).split()), "`strata up --refresh` repairs what was changed") from None


def _some(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
