"""Applies migrations to one database, each exactly once, with a table in it as the record."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Final

import psycopg

from components.slices.admin import Address
from components.slices.errors import SliceError
from components.slices.postgres import indexes
from components.slices.postgres.connection import Connection, connect, message, run, scalar
from components.slices.postgres.migration_files import Migration, broken_history, in_transaction
from components.slices.postgres.statements import Statement, split

# Advisory locks are local to their database, so that one number serves all of them.
LOCK: Final = 0x6D69_6772_6174  # "migrat"
WAIT: Final = 600_000  # milliseconds that a second run waits for the first one to finish

# Owned by the administrator: an application can read the record, and neither forge nor lose it.
TABLE: Final = """
    CREATE SCHEMA IF NOT EXISTS strata;
    CREATE TABLE IF NOT EXISTS strata.migrations (
        name text PRIMARY KEY,
        checksum text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    );
    GRANT USAGE ON SCHEMA strata TO PUBLIC;
    GRANT SELECT ON strata.migrations TO PUBLIC
"""


def apply(
    address: Address, database: str, owner: str, migrations: Sequence[Migration], kept: Mapping[str, str]
) -> dict[str, str]:
    """Apply what `strata.migrations` does not hold yet, after the indexes `kept` were restored; all indexes then.

    Raises SliceError for a migration that was changed or removed after it was applied, and for one that fails: with
    its file, line and statement, Postgres' message, and what has been applied so far.
    """
    with connect(address, database) as connection, _alone(connection, database):
        connection.execute(TABLE)
        done = _record(connection)
        if problems := broken_history(done, migrations):
            raise SliceError(f"database {database}: {'; '.join(problems)}")
        indexes.restore(connection, owner, kept)
        for migration in migrations[len(done) :]:
            _apply(connection, owner, migration)
        return indexes.find(connection)


def live(address: Address, database: str) -> tuple[list[dict[str, str]], dict[str, str]]:
    """Name and checksum of every applied migration, in order, and the indexes that the database has."""
    with connect(address, database) as connection:
        if scalar(connection, "SELECT to_regclass('strata.migrations')") is None:
            return [], {}
        done = [{"name": name, "checksum": checksum} for name, checksum in _record(connection)]
        return done, indexes.find(connection)


@contextmanager
def _alone(connection: Connection, database: str) -> Iterator[None]:
    """Hold the database's lock; a second run waits here, and then finds the first one's work in the table."""
    run(connection, "SET lock_timeout = {wait}", wait=WAIT)
    try:
        connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
    except psycopg.errors.LockNotAvailable:
        raise SliceError(
            f"database {database}: another run has been applying migrations for {WAIT // 60_000} minutes;"
            " wait for it, or end its session (application_name strata in pg_stat_activity)"
        ) from None
    _fresh_session(connection)
    yield


def _fresh_session(connection: Connection) -> None:
    """Undo what a migration, or waiting for the lock, has SET."""
    connection.execute("RESET ROLE")
    connection.execute("RESET ALL")


def _record(connection: Connection) -> list[tuple[str, str]]:
    return connection.execute("SELECT name, checksum FROM strata.migrations ORDER BY name").fetchall()


class _StoppedError(Exception):
    """Where and why a migration stopped, and how many of its statements were completed before."""

    def __init__(self, reason: str, completed: int) -> None:
        super().__init__(reason)
        self.completed = completed


def _apply(connection: Connection, owner: str, migration: Migration) -> None:
    transactional = in_transaction(migration["sql"])
    try:
        with connection.transaction() if transactional else nullcontext():
            _execute(connection, owner, migration["sql"])
            _fresh_session(connection)
            connection.execute(
                "INSERT INTO strata.migrations (name, checksum) VALUES (%s, %s)",
                (migration["name"], migration["checksum"]),
            )
    except _StoppedError as stop:
        if transactional:
            remains = "nothing of this file was applied"
        elif stop.completed:
            remains = f"its first {stop.completed} statement(s) stay, and the next run begins the file anew"
        else:
            remains = "none of its statements was completed"
        raise _failure(connection, migration, f"{stop}. Of database {connection.info.dbname}, {remains}") from None
    except psycopg.Error as error:
        # Such as a deferred constraint, checked when the transaction ends.
        raise _failure(connection, migration, f"its end: {message(error)}. Nothing of this file was applied") from None


def _execute(connection: Connection, owner: str, text: str) -> None:
    run(connection, "SET ROLE {}", owner)
    statements = split(text)
    for number, statement in enumerate(statements, start=1):
        try:
            connection.execute(statement.text.encode())
        except psycopg.Error as error:
            where = f"line {_line(statement, error)} (statement {number} of {len(statements)})"
            raise _StoppedError(f"{where}: {message(error)}", number - 1) from None


def _line(statement: Statement, error: psycopg.Error) -> int:
    """Where Postgres points to, or else where the statement begins."""
    position = int(error.diag.statement_position or 1)
    return statement.line + statement.text.count("\n", 0, position - 1)


def _failure(connection: Connection, migration: Migration, reason: str) -> SliceError:
    if connection.broken:
        return SliceError(f"migration {migration['name']} failed at {reason}; the connection is lost")
    _fresh_session(connection)
    done = [name for name, _ in _record(connection)]
    before = f"{done[-1]} and all before it are applied" if done else "no migration is applied"
    return SliceError(f"migration {migration['name']} failed at {reason}; {before}.")
