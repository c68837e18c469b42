"""The schema of Saiki on a server of its own: long lists, plans and two writers. What its users do is a smoke test."""

import re
import threading
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.rows import TupleRow

from components.claims import Application
from tests.slices import databases
from tests.slices.servers import Server

pytestmark = pytest.mark.docker

ROWS = 20_000
Session = psycopg.Connection[TupleRow]


@pytest.fixture(scope="module")
def saiki(postgres: Server) -> Application:
    """Two lists, one of which is long; sessions with messages."""
    claim = databases.make(postgres, "saiki")
    with databases.connect(postgres, claim) as session:
        for key, length in (("long", ROWS), ("short", 100)):
            session.execute("INSERT INTO lists VALUES (%s, %s)", (key, length))
            session.execute(
                "INSERT INTO list_values (key, position, value) SELECT %s, n, to_jsonb(n)"
                " FROM generate_series(0, %s::bigint - 1) AS n",
                (key, length),
            )
        session.execute(
            "INSERT INTO sessions (id, data, last_activity) SELECT n::text, jsonb_build_object('user', n),"
            " now() - n * interval '1 min' FROM generate_series(1, %s) AS n",
            (ROWS,),
        )
        session.execute(
            "INSERT INTO messages (session_id, content, created_at) SELECT id, data, last_activity FROM sessions"
        )
        session.execute("INSERT INTO kv SELECT 'saiki:db:' || n, to_jsonb(n) FROM generate_series(1, %s) AS n", (ROWS,))
    databases.analyze(postgres, claim)
    return claim


@pytest.fixture
def session(postgres: Server, saiki: Application) -> Iterator[Session]:
    with databases.connect(postgres, saiki) as connection:
        yield connection
        connection.rollback()


def touched(session: Session, statement: str) -> int:
    """Pages of 8 kB that a statement looked at."""
    return sum(int(pages) for pages in re.findall(r"shared hit=(\d+)", databases.plan(session, statement))[:1])


def test_a_page_costs_as_much_as_it_has_rows(session: Session) -> None:
    """As few pages at the end of a list of 20,000 as of one of 100: nothing is skipped over."""
    for first, last in ((-10, -1), (0, 9), (-60, -51)):
        costs = {}
        for key in ("short", "long"):
            statement = f"SELECT * FROM list_range('{key}', {first}, {last})"
            assert session.execute(statement.encode()).rowcount == 10
            costs[key] = touched(session, statement)
        assert costs["long"] <= costs["short"] + 8, (first, last, costs)
    assert touched(session, "SELECT list_length('long')") <= 10


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("SELECT * FROM messages WHERE content @> '{\"user\": 77}'", "idx_messages_content_gin"),
        ("SELECT * FROM messages WHERE session_id = '77' ORDER BY created_at", "idx_messages_session_created"),
        ("SELECT * FROM sessions ORDER BY last_activity DESC LIMIT 10", "idx_sessions_last_activity"),
        ("SELECT * FROM sessions WHERE data @> '{\"user\": 77}'", "idx_sessions_data_gin"),
        ("SELECT * FROM kv WHERE key LIKE 'saiki:db:77%'", "kv_key_prefix"),
    ],
)
def test_a_query_uses_its_index(session: Session, statement: str, index: str) -> None:
    assert index in databases.plan(session, statement)


def test_two_that_append_get_two_places(postgres: Server, saiki: Application) -> None:
    places: list[int] = []

    def append() -> None:
        with databases.connect(postgres, saiki) as session:
            for number in range(50):
                found = session.execute("SELECT list_append('shared', %s::jsonb)", (str(number),)).fetchone()
                assert found
                places.append(found[0])
                session.commit()

    threads = [threading.Thread(target=append) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(places) == list(range(1, 201))
    with databases.connect(postgres, saiki) as session:
        assert session.execute("SELECT list_length('shared')").fetchone() == (200,)
        assert session.execute("SELECT FROM list_range('shared', 0, -1)").rowcount == 200


def test_an_append_that_is_rolled_back_leaves_no_gap(session: Session) -> None:
    session.execute("SELECT list_append('rolled', '1')")
    with session.transaction(force_rollback=True):
        session.execute("SELECT list_append('rolled', '2')")
    assert session.execute("SELECT list_append('rolled', '3')").fetchone() == (2,)
    assert session.execute("SELECT value FROM list_range('rolled', 0, -1)").fetchall() == [(1,), (3,)]
