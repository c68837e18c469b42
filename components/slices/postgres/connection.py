"""The administrator's connection to Postgres, and its failures in one clear line."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, LiteralString, TypeAlias

from components.slices.admin import Address
from components.slices.errors import RefusedError, SliceError
from components.trust import ca_file, complaint_of_postgres

if TYPE_CHECKING:  # imported when needed: the program declares slices and never connects, and need not wait for it
    import psycopg

USER: Final = "postgres"  # the administrator's role, and the database that is the administrator's
CONNECT_TIMEOUT: Final = 5  # seconds
LOCK_TIMEOUT: Final = 15_000  # milliseconds: an application's long transaction must not hang a deployment

# NAMEDATALEN - 1: Postgres cuts longer names silently, so that two of them could become one.
NAME_LIMIT: Final = 63
NAME_PATTERN: Final = "[a-z_][a-z0-9_]*"
RESERVED: Final = "pg_.*|postgres|public|none|template[01]"

# Strata's mark on what it made: the comment of a role or a database, followed by the stack's name.
MARK: Final = "strata: "

# One writer at a time to the shared catalogs: concurrent GRANTs fail with "tuple concurrently updated".
CATALOG_LOCK: Final = 0x7374_7261_7461  # "strata"

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"


@contextmanager
def connect(
    address: Address, database: str = USER, *, timeout: int = CONNECT_TIMEOUT, password: str | None = None
) -> Iterator[Connection]:
    """An autocommit connection as the administrator, with another password than the current one if there is one given.

    Raises RefusedError when the password is refused, and SliceError for every other failure in or under it.
    """
    import psycopg

    where = f"Postgres at {address}"
    host, port = address.reached()
    verified: dict[str, Any] = {"sslmode": "verify-full", "sslrootcert": str(ca_file(address.ca))} if address.ca else {}
    try:
        connection = psycopg.connect(
            host=host,
            port=port,
            **verified,
            dbname=database,
            user=USER,
            password=address.password() if password is None else password,
            connect_timeout=timeout,
            application_name="strata",
            options=f"-c lock_timeout={LOCK_TIMEOUT}",
            autocommit=True,
        )
    except psycopg.OperationalError as error:
        raise _unreachable(where, address, (host, port), error) from None
    try:
        with connection:
            yield connection
    except psycopg.errors.LockNotAvailable:
        raise SliceError(
            f"{where}: a lock in database {database} was not free within {LOCK_TIMEOUT // 1000} s;"
            " end the transaction that holds it (see pg_stat_activity) and run again"
        ) from None
    except psycopg.Error as error:
        raise SliceError(f"{where}, database {database}: {message(error)}") from None


@contextmanager
def catalog(address: Address, database: str = USER) -> Iterator[Connection]:
    """A transaction that may write to roles and grants; only one runs at a time in each database."""
    with connect(address, database) as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (CATALOG_LOCK,))
        yield connection


def run(connection: Connection, template: LiteralString, *names: str | Sequence[str], **literals: Any) -> None:
    """Execute a utility statement: `{}` takes identifiers in order, `{name}` takes literals.

    A sequence of names is one identifier with dots between them.
    """
    from psycopg import sql

    identifiers = [sql.Identifier(*([name] if isinstance(name, str) else name)) for name in names]
    values = {key: sql.Literal(value) for key, value in literals.items()}
    connection.execute(sql.SQL(template).format(*identifiers, **values))


def drop_unused(connection: Connection, template: LiteralString, name: str) -> None:
    """Execute a DROP as `run` does, which leaves what other objects depend on where it is."""
    from psycopg.errors import DependentObjectsStillExist

    with suppress(DependentObjectsStillExist):
        run(connection, template, name)


def scalar(connection: Connection, query: LiteralString, *params: Any) -> Any:
    """The first column of the first row, or None."""
    row = connection.execute(query, params).fetchone()
    return row[0] if row else None


def column(connection: Connection, query: LiteralString, *params: Any) -> list[Any]:
    """The first column of every row."""
    return [row[0] for row in connection.execute(query, params)]


def identity(connection: Connection) -> str:
    """The cluster's system_identifier: 64 bits, hence as text."""
    return str(scalar(connection, "SELECT system_identifier FROM pg_control_system()"))


def end_sessions(connection: Connection, role: str) -> None:
    """End every session of the login `role`, and wait up to 5 s for each to be gone."""
    connection.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %s", (role,))


def message(error: "psycopg.Error") -> str:
    """Postgres' own sentence, with its detail and hint."""
    parts = (error.diag.message_primary or str(error).strip(), error.diag.message_detail, error.diag.message_hint)
    return "; ".join(part for part in parts if part)


def _unreachable(
    where: str, address: Address, reached: tuple[str, int], error: "psycopg.OperationalError"
) -> SliceError:
    text = " ".join(str(error).split())
    if "password authentication failed" in text:
        return RefusedError(
            f"{where}: the administrator's password is refused. `strata up` changes it where an earlier one is still"
            " accepted, and the container asserts it at every start: restart it. If another Postgres holds this port,"
            " stop that one"
        )
    if said := complaint_of_postgres(error, *reached, address.ca, timeout=CONNECT_TIMEOUT):
        text = said
    elif "Connection refused" in text or "timeout" in text.lower() or "closed the connection" in text:
        text = f"no answer. {address.absent}"
    return SliceError(f"{where}: {text}")
