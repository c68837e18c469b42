"""The schema of Trends on a server of its own: triggers, plans and rights. What its users do is a smoke test."""

import uuid
from collections.abc import Iterator
from datetime import datetime

import psycopg
import pytest
from psycopg.rows import TupleRow

from components.claims import Application
from tests.slices import databases
from tests.slices.servers import Server

pytestmark = pytest.mark.docker

FILL = (
    """
    INSERT INTO topics (title, summary, category, keywords, metadata, last_updated)
    SELECT 'Topic ' || n, 'word' || n, CASE WHEN n % 400 = 0 THEN 'Sports' ELSE 'World' END::category,
        ARRAY['key' || n], jsonb_build_object('n', n), now() - n * interval '1 min'
    FROM generate_series(1, 20000) AS n
    """,
    """
    INSERT INTO trends (topic_id, rank, title, summary, category, score, metadata)
    SELECT id, row_number() OVER (), title, summary, category, random() * 100, metadata FROM topics
    """,
    """
    INSERT INTO processed_items (source, source_id, title, content, metadata, collected_at, status)
    SELECT 'rss', n::text, 'Item ' || n, 'word' || n, jsonb_build_object('n', n), now() - n * interval '1 min',
        CASE WHEN n % 1000 = 0 THEN 'pending' ELSE 'completed' END::processing_status
    FROM generate_series(1, 20000) AS n
    """,
)
TABLES = ("topics", "trends", "processed_items", "plugin_health", "pipeline_runs")
Session = psycopg.Connection[TupleRow]


@pytest.fixture(scope="module")
def trends(postgres: Server) -> Application:
    claim = databases.make(postgres, "trends")
    with databases.connect(postgres, claim) as session:
        for statement in FILL:
            session.execute(statement.encode())
    databases.analyze(postgres, claim)
    return claim


@pytest.fixture
def session(postgres: Server, trends: Application) -> Iterator[Session]:
    with databases.connect(postgres, trends) as connection:
        yield connection
        connection.rollback()


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("SELECT * FROM trends WHERE search @@ websearch_to_tsquery('english', 'word77')", "trends_search"),
        ("SELECT * FROM topics WHERE search @@ websearch_to_tsquery('english', 'word77')", "topics_search"),
        ("SELECT * FROM processed_items WHERE search @@ to_tsquery('english', 'word77')", "processed_items_search"),
        ("SELECT * FROM topics WHERE keywords @> '{key77}'", "topics_keywords"),
        ("SELECT * FROM trends WHERE metadata @> '{\"n\": 77}'", "trends_metadata"),
        ("SELECT * FROM processed_items WHERE metadata @> '{\"n\": 77}'", "processed_items_metadata"),
        ("SELECT * FROM trends WHERE category = 'Sports' ORDER BY rank LIMIT 10", "trends_category_rank"),
        ("SELECT * FROM trends ORDER BY score DESC LIMIT 10", "trends_score"),
        ("SELECT * FROM topics ORDER BY last_updated DESC LIMIT 10", "topics_last_updated"),
        ("SELECT * FROM topics WHERE category = 'Sports' ORDER BY last_updated DESC LIMIT 10", "topics_category_last"),
        (
            "SELECT * FROM processed_items WHERE collected_at < now() - interval '13 days'",
            "processed_items_collected_at",
        ),
        ("SELECT 1 FROM processed_items WHERE source = 'rss' AND source_id = '77'", "processed_items_source_source_id"),
        (
            "SELECT * FROM processed_items WHERE status = 'pending' ORDER BY collected_at LIMIT 5",
            "processed_items_unfinished",
        ),
    ],
)
def test_a_query_uses_its_index(session: Session, statement: str, index: str) -> None:
    assert index in databases.plan(session, statement)


@pytest.mark.parametrize("table", TABLES)
def test_every_change_shows_in_updated_at(postgres: Server, trends: Application, table: str) -> None:
    columns = {"plugin_health": "(plugin_name) VALUES ('p')", "pipeline_runs": "(pipeline) VALUES ('p')"}

    def updated() -> datetime:
        with databases.connect(postgres, trends) as session:  # each a transaction of its own, and now() of its own
            found = session.execute(f"UPDATE {table} SET metadata = '{{}}' RETURNING updated_at".encode()).fetchone()
            assert found
            stamp: datetime = found[0]
            return stamp

    if table in columns:
        with databases.connect(postgres, trends) as session:
            session.execute(f"INSERT INTO {table} {columns[table]}".encode())
    assert updated() < updated()


def test_items_that_move_or_go_are_counted(session: Session) -> None:
    topics = [uuid.uuid4(), uuid.uuid4()]
    for topic in topics:
        session.execute("INSERT INTO topics (id, title, category) VALUES (%s, 'T', 'World')", (topic,))
    session.execute(
        "INSERT INTO topic_items (topic_id, item_id) SELECT %s, id FROM processed_items LIMIT 10", (topics[0],)
    )

    def counted() -> list[int]:
        read = "SELECT item_count FROM topics WHERE id = ANY(%s) ORDER BY id = %s DESC"
        return [row[0] for row in session.execute(read, (topics, topics[0])).fetchall()]

    assert counted() == [10, 0]
    move = "UPDATE topic_items SET topic_id = %s WHERE item_id IN (SELECT item_id FROM topic_items LIMIT 4)"
    session.execute(move, (topics[1],))
    assert counted() == [6, 4]
    session.execute("DELETE FROM topic_items WHERE topic_id = %s", (topics[1],))
    assert counted() == [6, 0]
    one_item = "SELECT item_id FROM topic_items WHERE topic_id = %s LIMIT 1"
    session.execute(f"DELETE FROM processed_items WHERE id IN ({one_item})".encode(), (topics[0],))
    assert counted() == [5, 0], "an item that was deleted is still counted"


def test_who_only_reads_reads_everything_and_writes_nothing(postgres: Server, trends: Application) -> None:
    with databases.connect(postgres, trends, trends.reader) as session:
        for table in (*TABLES, "topic_items", "current_trends", "category_summary"):
            session.execute(f"SELECT 1 FROM {table} LIMIT 1".encode())
        session.execute("SELECT 1 FROM top_trends()")
        for statement in (
            "DELETE FROM topics",
            "SELECT delete_old_items()",
            "REFRESH MATERIALIZED VIEW current_trends",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), session.transaction():
                session.execute(statement.encode())


def test_the_login_changes_rows_and_no_schema(session: Session) -> None:
    for statement in ("CREATE TABLE t ()", "DROP TABLE trends", "ALTER TABLE trends ADD c int", "TRUNCATE trends"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), session.transaction():
            session.execute(statement.encode())
