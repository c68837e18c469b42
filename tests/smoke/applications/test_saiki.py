"""Saiki, as its document shows it: it knows agent.yml, and the variables that this refers to."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
import pytest
import redis
from psycopg_pool import ConnectionPool

from tests.smoke import clients
from tests.smoke.applications.conftest import HandOut
from tests.smoke.applications.files import Files, referred
from tests.smoke.applications.sessions import Pool, Session, one, served_at_once

pytestmark = pytest.mark.application("saiki")

KEYS = {
    "agent.yml": ["type", "host", "port", "database", "username", "password", "keyPrefix", "ssl", "pool"],
    "agent.url.yml": ["type", "url", "keyPrefix", "ssl", "pool"],
}
POOL = {"min": 2, "max": 10, "acquireTimeoutMillis": 30000, "idleTimeoutMillis": 30000}


@pytest.fixture(scope="module")
def files(hand_out: HandOut) -> Files:
    return hand_out("saiki")


@pytest.fixture(scope="module", params=list(KEYS))
def storage(request: pytest.FixtureRequest, files: Files) -> dict[str, Any]:
    """The block of either file, with what it refers to."""
    name: str = request.param
    block: dict[str, Any] = referred(files.yaml(name), files.env)["storage"]
    return block


@pytest.fixture(scope="module")
def login(storage: dict[str, Any]) -> dict[str, Any]:
    own = storage["database"]
    options = {"sslmode": "require" if own["ssl"] else "disable", "connect_timeout": clients.SECONDS}
    if "url" in own:
        return {"conninfo": own["url"], **options}
    facts = {"host": own["host"], "port": own["port"], "dbname": own["database"]}
    return {**facts, "user": own["username"], "password": own["password"], **options}


@pytest.fixture(scope="module")
def pool(storage: dict[str, Any], login: dict[str, Any]) -> Iterator[Pool]:
    own, options = storage["database"]["pool"], dict(login)
    wait, idle = own["acquireTimeoutMillis"] / 1000, own["idleTimeoutMillis"] / 1000
    sizes = {"min_size": own["min"], "max_size": own["max"]}
    conninfo = options.pop("conninfo", "")
    with ConnectionPool(conninfo, kwargs=options, **sizes, timeout=wait, max_idle=idle) as made:
        yield made


@pytest.fixture
def cache(storage: dict[str, Any]) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(storage["cache"]["url"], socket_timeout=clients.SECONDS, decode_responses=True) as client:
        yield client


@pytest.fixture
def key(storage: dict[str, Any], cache: redis.Redis) -> Iterator[str]:
    """The beginning of keys that nobody else has, with the cache's prefix; they go at the end."""
    made = f"{storage['cache']['keyPrefix']}smoke:{uuid.uuid4()}"
    yield made
    if found := list(cache.scan_iter(f"{made}*")):
        cache.delete(*found)


@pytest.mark.quick
def test_its_file_has_the_documents_keys(storage: dict[str, Any], files: Files) -> None:
    name = "agent.url.yml" if "url" in storage["database"] else "agent.yml"
    assert list(storage["cache"]) == ["type", "url", "keyPrefix", "maxRetries", "retryDelayOnFailover"]
    assert list(storage["database"]) == KEYS[name]
    assert storage["cache"]["keyPrefix"] == "saiki:cache:"
    assert storage["database"]["keyPrefix"] == "saiki:db:"
    assert (storage["cache"]["maxRetries"], storage["cache"]["retryDelayOnFailover"]) == (3, 100)
    assert storage["database"]["pool"] == POOL
    written = files.text(name)
    assert files.env["DATABASE_PASSWORD"] not in written
    assert "$DATABASE_PASSWORD" in written or "$DATABASE_URL" in written


@pytest.mark.quick
def test_both_forms_name_one_database_and_both_backends_answer(
    login: dict[str, Any], cache: redis.Redis, files: Files
) -> None:
    url, host = urlsplit(files.env["DATABASE_URL"]), files.yaml("agent.yml")["storage"]["database"]
    assert (url.hostname, url.port, url.path) == (host["host"], host["port"], f"/{host['database']}")
    assert (url.username, unquote(url.password or "")) == (host["username"], files.env["DATABASE_PASSWORD"])
    with psycopg.connect(**login) as session:
        assert session.execute("SELECT current_database(), current_user").fetchone() == ("saiki", "saiki_user")
    assert cache.ping()


def test_a_full_pool_is_served_at_once(pool: Pool) -> None:
    assert served_at_once(pool, POOL["max"]) == POOL["max"]


def test_the_cache_sets_gets_deletes_and_forgets(cache: redis.Redis, key: str) -> None:
    session = {"id": "123", "createdAt": 1}
    cache.set(f"{key}:session:123", json.dumps(session), ex=3600)
    assert json.loads(str(cache.get(f"{key}:session:123"))) == session
    assert 3500 < int(cache.ttl(f"{key}:session:123")) <= 3600
    assert (cache.exists(f"{key}:session:123"), cache.delete(f"{key}:session:123")) == (1, 1)
    assert cache.get(f"{key}:session:123") is None
    cache.set(f"{key}:short", "gone soon", px=50)
    deadline = time.monotonic() + clients.SECONDS
    while cache.exists(f"{key}:short"):
        assert time.monotonic() < deadline, f"it still has {cache.pttl(f'{key}:short')} ms to live"


def test_the_cache_reads_and_writes_many_at_once_and_clears_its_own(cache: redis.Redis, key: str) -> None:
    cache.mset({f"{key}:a": "1", f"{key}:b": "2"})
    assert cache.mget(f"{key}:a", f"{key}:missing", f"{key}:b") == ["1", None, "2"]
    assert sorted(cache.scan_iter(f"{key}:*")) == [f"{key}:a", f"{key}:b"]
    assert cache.unlink(f"{key}:a", f"{key}:b") == 2


def test_the_cache_publishes_below_its_prefix_and_reaches_nothing_else(cache: redis.Redis, key: str) -> None:
    with clients.subscriber(cache) as listener:
        listener.subscribe(key)
        deadline, heard = time.monotonic() + clients.SECONDS, None
        while heard is None and time.monotonic() < deadline:
            cache.publish(key, "hello")
            heard = listener.get_message(timeout=0.2)
    assert heard
    assert heard["data"] == "hello"
    with pytest.raises(redis.exceptions.NoPermissionError):
        cache.get("session:123")


def test_the_database_sets_gets_deletes_and_lists_keys(session: Session, storage: dict[str, Any]) -> None:
    prefix = f"{storage['database']['keyPrefix']}smoke:{uuid.uuid4()}:"
    upsert = "INSERT INTO kv (key, value) VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
    with session.cursor() as cursor:  # mset
        cursor.executemany(upsert, [(f"{prefix}user:{n}", json.dumps({"n": n})) for n in (1, 2)])
    session.execute(upsert, (f"{prefix}user:1", json.dumps({"n": 10})))
    wanted = [f"{prefix}user:1", f"{prefix}none", f"{prefix}user:2"]
    mget = (
        "SELECT value FROM unnest(%s::text[]) WITH ORDINALITY AS w (key, place) LEFT JOIN kv USING (key) ORDER BY place"
    )
    assert session.execute(mget, (wanted,)).fetchall() == [({"n": 10},), (None,), ({"n": 2},)]
    keys = "SELECT key FROM kv WHERE starts_with(key, %s) ORDER BY key"
    assert session.execute(keys, (prefix,)).fetchall() == [(f"{prefix}user:1",), (f"{prefix}user:2",)]
    assert one(session, "SELECT EXISTS (SELECT FROM kv WHERE key = %s)", wanted[0]) is True
    assert session.execute("DELETE FROM kv WHERE key = %s", (wanted[0],)).rowcount == 1
    assert session.execute("DELETE FROM kv WHERE starts_with(key, %s)", (prefix,)).rowcount == 1  # clear


def test_a_history_is_appended_to_counted_and_read_from_its_end(session: Session, storage: dict[str, Any]) -> None:
    key = f"{storage['database']['keyPrefix']}history:{uuid.uuid4()}"
    assert one(session, "SELECT list_length(%s)", key) == 0
    for number in range(25):
        message = json.dumps({"role": "user", "content": f"Message {number}", "timestamp": number})
        assert one(session, "SELECT list_append(%s, %s)", key, message) == number + 1
    assert one(session, "SELECT list_length(%s)", key) == 25

    def numbers(first: int, last: int) -> list[int]:
        rows = session.execute("SELECT value FROM list_range(%s, %s, %s)", (key, first, last)).fetchall()
        return [row[0]["timestamp"] for row in rows]

    assert numbers(-10, -1) == list(range(15, 25))
    assert numbers(-20, -1) == list(range(5, 25))
    assert numbers(0, -1) == list(range(25))
    assert numbers(3, 5) == [3, 4, 5]
    assert (numbers(-100, 1), numbers(20, 100), numbers(9, 3)) == ([0, 1], [20, 21, 22, 23, 24], [])
    assert session.execute("DELETE FROM lists WHERE key = %s", (key,)).rowcount == 1
    assert numbers(0, -1) == []


def test_sessions_and_their_messages_are_found(session: Session) -> None:
    id, word = f"smoke-{uuid.uuid4()}", uuid.uuid4().hex
    session.execute("INSERT INTO sessions (id, data) VALUES (%s, %s)", (id, json.dumps({"user": word})))
    for number in (1, 2):
        content = json.dumps({"role": "user", "content": f"{number}", "word": word})
        insert = "INSERT INTO messages (session_id, content, created_at) VALUES (%s, %s, to_timestamp(%s))"
        session.execute(insert, (id, content, number))
    read = "SELECT content ->> 'content' FROM messages WHERE session_id = %s ORDER BY created_at"
    assert session.execute(read, (id,)).fetchall() == [("1",), ("2",)]
    inside = json.dumps({"word": word})
    assert one(session, "SELECT count(*) FROM messages WHERE content @> %s", inside) == 2
    assert one(session, "SELECT id FROM sessions WHERE data @> %s", json.dumps({"user": word})) == id
    session.execute("DELETE FROM sessions WHERE id = %s", (id,))
    assert one(session, "SELECT count(*) FROM messages WHERE session_id = %s", id) == 0
