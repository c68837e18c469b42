"""Sessions of Postgres as applications have them: from a pool of their own size."""

from typing import Any

import psycopg
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

Session = psycopg.Connection[TupleRow]
Pool = ConnectionPool[Session]


def one(session: Session, statement: str, *values: Any) -> Any:
    """The first column of the first row."""
    found = session.execute(statement.encode(), values).fetchone()
    assert found
    return found[0]


def served_at_once(pool: Pool, size: int) -> int:
    """How many sessions of the server `size` connections of the pool are."""
    sessions = [pool.getconn() for _ in range(size)]
    try:
        return len({session.execute("SELECT pg_backend_pid()").fetchone() for session in sessions})
    finally:
        for session in sessions:
            pool.putconn(session)
