"""Trends, as its document shows it: it knows the variables of its .env."""

import json
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import redis
from psycopg_pool import ConnectionPool

from tests.smoke import clients
from tests.smoke.applications.conftest import HandOut
from tests.smoke.applications.sessions import Pool, Session, one, served_at_once

pytestmark = pytest.mark.application("trends")

COLLECTION = "trend_embeddings"
DOCUMENTED = [
    *("POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD"),
    *("QDRANT_HOST", "QDRANT_PORT", "REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD"),
]


@pytest.fixture(scope="module")
def env(hand_out: HandOut) -> dict[str, str]:
    return hand_out("trends").env


@pytest.fixture(scope="module")
def login(env: dict[str, str]) -> dict[str, Any]:
    facts: dict[str, Any] = {"host": env["POSTGRES_HOST"], "port": env["POSTGRES_PORT"], "dbname": env["POSTGRES_DB"]}
    return {**facts, "user": env["POSTGRES_USER"], "password": env["POSTGRES_PASSWORD"], "connect_timeout": 5}


@pytest.fixture(scope="module")
def pool(login: dict[str, Any]) -> Iterator[Pool]:
    """The document's sizes."""
    with ConnectionPool(kwargs=login, min_size=10, max_size=20, timeout=clients.SECONDS) as made:
        yield made


@pytest.fixture
def cache(env: dict[str, str]) -> Iterator[redis.Redis]:
    login: dict[str, Any] = {"password": env["REDIS_PASSWORD"], "socket_timeout": clients.SECONDS}
    login["ssl"] = clients.encrypted(env)
    with redis.Redis(host=env["REDIS_HOST"], port=int(env["REDIS_PORT"]), **login) as client:
        yield client


def add_topic(session: Session, title: str = "AI Breakthrough in 2024") -> uuid.UUID:
    made: uuid.UUID = one(
        session,
        "INSERT INTO topics (title, summary, category, keywords, total_engagement, metadata)"
        " VALUES (%s, 'Major advances in artificial intelligence', 'Technology', %s, %s, %s) RETURNING id",
        title,
        ["ai", "research"],
        json.dumps({"upvotes": 100, "comments": 20, "score": 120.0}),
        json.dumps({"origin": "smoke"}),
    )
    return made


def add_trend(session: Session, topic: uuid.UUID, rank: int, title: str, state: str = "emerging") -> uuid.UUID:
    insert = (
        "INSERT INTO trends (topic_id, rank, title, category, state, score)"
        " VALUES (%s, %s, %s, 'Technology', %s, 95.5) RETURNING id"
    )
    made: uuid.UUID = one(session, insert, topic, rank, title, state)
    return made


def add_items(session: Session, count: int, **columns: Any) -> list[uuid.UUID]:
    """In one statement, as a batch is inserted."""
    names = [f"smoke-{uuid.uuid4()}" for _ in range(count)]
    given = {"title": "An item", "collected_at": "now", **columns}
    found = session.execute(
        "INSERT INTO processed_items (source, source_id, title, collected_at)"
        " SELECT 'reddit', name, %s, %s::timestamptz FROM unnest(%s::text[]) AS name RETURNING id",
        (given["title"], given["collected_at"], names),
    )
    return [row[0] for row in found.fetchall()]


@pytest.mark.quick
def test_it_has_every_variable_of_the_document(env: dict[str, str]) -> None:
    assert [name for name in DOCUMENTED if not env.get(name)] == []
    assert (env["POSTGRES_DB"], env["POSTGRES_USER"]) == ("trends", "trend_user")


@pytest.mark.quick
def test_every_backend_lets_it_in(login: dict[str, Any], cache: redis.Redis, env: dict[str, str]) -> None:
    with psycopg.connect(**login) as session:
        assert one(session, "SELECT count(*) FROM pg_extension WHERE extname IN ('uuid-ossp', 'pgcrypto')") == 2
    assert cache.ping()
    scheme = "https" if clients.encrypted(env) else "http"
    address = f"{scheme}://{env['QDRANT_HOST']}:{env['QDRANT_PORT']}/collections/{COLLECTION}"
    answer = clients.http().request("GET", address, headers={"api-key": env["QDRANT_API_KEY"]})
    assert answer.status == 200, answer.data


def test_a_full_pool_is_served_at_once(pool: Pool) -> None:
    assert served_at_once(pool, 20) == 20


def test_topics_and_trends_are_made_read_changed_and_deleted(session: Session) -> None:
    topic = add_topic(session)
    trend = add_trend(session, topic, 1, "AI Breakthrough in 2024")
    read = "SELECT state::text, score, updated_at >= created_at FROM trends WHERE id = %s"
    assert session.execute(read, (trend,)).fetchone() == ("emerging", 95.5, True)
    session.execute("UPDATE trends SET state = 'rising' WHERE id = %s", (trend,))
    assert session.execute(read, (trend,)).fetchone() == ("rising", 95.5, True)
    with pytest.raises(psycopg.errors.InvalidTextRepresentation), session.transaction():
        session.execute("UPDATE trends SET state = 'no state' WHERE id = %s", (trend,))
    assert session.execute("DELETE FROM topics WHERE id = %s", (topic,)).rowcount == 1
    assert session.execute(read, (trend,)).fetchone() is None


def test_trends_are_searched_by_category_state_date_and_text(session: Session) -> None:
    word = f"zyx{uuid.uuid4().hex}"
    topic = add_topic(session)
    emerging = add_trend(session, topic, 1, f"{word} emerging")
    add_trend(session, topic, 2, f"{word} archived", state="archived")
    filtered = (
        "SELECT id FROM trends WHERE topic_id = %s AND category = 'Technology' AND state = 'emerging'"
        " AND first_seen > now() - interval '1 day' AND language = 'en' AND score >= 90 ORDER BY rank LIMIT 10"
    )
    assert session.execute(filtered, (topic,)).fetchall() == [(emerging,)]
    assert one(session, "SELECT count(*) FROM search_trends(%s)", word) == 2
    assert one(session, "SELECT id FROM search_trends(%s)", f"{word} -archived") == emerging


def test_the_top_is_read_page_by_page(session: Session) -> None:
    topic = add_topic(session)
    made = [add_trend(session, topic, rank, f"Number {rank}") for rank in (1, 2, 3)]
    read = "SELECT id FROM top_trends('Technology', %s, %s) WHERE topic_id = %s"
    everything = session.execute(read, (100000, 0, topic)).fetchall()
    assert everything == [(id,) for id in made]
    pages = [session.execute("SELECT id FROM top_trends(NULL, 1, %s)", (number,)).fetchall() for number in (0, 1)]
    assert pages[0] != pages[1]


def test_topics_are_found_by_keyword_language_and_metadata(session: Session) -> None:
    topic = add_topic(session)
    for condition in ("keywords @> '{ai}'", "language = 'en'", 'metadata @> \'{"origin": "smoke"}\''):
        found = session.execute(f"SELECT FROM topics WHERE id = %s AND {condition}".encode(), (topic,))
        assert found.rowcount == 1, condition


def test_a_batch_of_items_is_counted_once_and_one_that_is_known_is_not_inserted_again(session: Session) -> None:
    topic, items = add_topic(session), add_items(session, 1000)
    with session.cursor() as cursor, cursor.copy("COPY topic_items (topic_id, item_id) FROM STDIN") as copy:
        for item in items:
            copy.write_row((topic, item))
    count = "SELECT item_count FROM topics WHERE id = %s"
    assert one(session, count, topic) == 1000
    session.execute("DELETE FROM processed_items WHERE id = ANY(%s)", (items[:10],))
    assert one(session, count, topic) == 990
    known = session.execute(
        "INSERT INTO processed_items (source, source_id, title)"
        " SELECT source, source_id, 'again' FROM processed_items WHERE id = %s"
        " ON CONFLICT (source, source_id) DO NOTHING",
        (items[10],),
    )
    assert known.rowcount == 0
    exists = "SELECT EXISTS (SELECT FROM processed_items WHERE source = 'reddit' AND id = %s)"
    assert one(session, exists, items[10]) is True


def test_two_who_add_items_to_one_topic_lose_none(pool: Pool) -> None:
    with pool.connection() as session:
        topic, items = add_topic(session), add_items(session, 40)
    errors: list[BaseException] = []

    def add(mine: list[uuid.UUID]) -> None:
        try:
            for item in mine:
                with pool.connection() as session:
                    session.execute("INSERT INTO topic_items VALUES (%s, %s)", (topic, item))
        except BaseException as error:  # noqa: BLE001 - told by the test
            errors.append(error)

    try:
        threads = [threading.Thread(target=add, args=(items[start::4],)) for start in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert errors == []
        with pool.connection() as session:
            assert one(session, "SELECT item_count FROM topics WHERE id = %s", topic) == 40
    finally:
        with pool.connection() as session:
            session.execute("DELETE FROM processed_items WHERE id = ANY(%s)", (items,))
            session.execute("DELETE FROM topics WHERE id = %s", (topic,))


def test_old_items_are_cleaned_up_batch_by_batch(session: Session) -> None:
    old, new = add_items(session, 3, collected_at="1970-01-02"), add_items(session, 1)
    assert one(session, "SELECT delete_old_items('50 years', 2)") == 2
    while one(session, "SELECT delete_old_items('50 years', 2)"):
        pass
    left = "SELECT id FROM processed_items WHERE id = ANY(%s)"
    assert session.execute(left, ([*old, *new],)).fetchall() == [(new[0],)]
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="must both be above 0"), session.transaction():
        session.execute("SELECT delete_old_items('0 days')")


def test_its_views_are_refreshed_while_others_read_them(pool: Pool) -> None:
    with pool.connection() as session:
        topic = add_topic(session)
        trend = add_trend(session, topic, 1, "In the view")
    try:
        for view in ("current_trends", "category_summary"):
            with pool.connection() as session:
                session.execute(f"REFRESH MATERIALIZED VIEW CONCURRENTLY {view}".encode())
        with pool.connection() as session:
            assert one(session, "SELECT count(*) FROM current_trends WHERE id = %s", trend) == 1
            assert one(session, "SELECT topics FROM category_summary WHERE category = 'Technology'") >= 1
    finally:
        with pool.connection() as session:
            session.execute("DELETE FROM topics WHERE id = %s", (topic,))


def test_runs_and_plugins_leave_their_traces(session: Session) -> None:
    run = one(session, "INSERT INTO pipeline_runs (pipeline, status) VALUES ('smoke', 'processing') RETURNING id")
    session.execute("UPDATE pipeline_runs SET status = 'completed', finished_at = now() WHERE id = %s", (run,))
    plugin = f"smoke-{uuid.uuid4()}"
    upsert = (
        "INSERT INTO plugin_health (plugin_name, total_runs) VALUES (%s, 1)"
        " ON CONFLICT (plugin_name) DO UPDATE SET total_runs = plugin_health.total_runs + 1 RETURNING total_runs"
    )
    assert [one(session, upsert, plugin) for _ in range(2)] == [1, 2]
