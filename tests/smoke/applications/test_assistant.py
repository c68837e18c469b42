"""The assistant, as its document shows it: it knows config/storage.yaml and, for what that has no key for, its .env."""

import io
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import redis
from minio import Minio
from minio.error import S3Error
from psycopg_pool import ConnectionPool

from tests.smoke import clients
from tests.smoke.applications.conftest import HandOut
from tests.smoke.applications.files import Files, expanded
from tests.smoke.applications.sessions import Pool, Session, served_at_once

pytestmark = pytest.mark.application("assistant")

FILE = "config/storage.yaml"
KEYS = {
    "postgres": ["host", "port", "database", "user", "password", "pool_size", "echo"],
    "redis": ["host", "port", "db", "password", "default_ttl"],
    "qdrant": ["host", "port", "grpc_port", "collection_prefix"],
    "minio": ["endpoint", "access_key", "secret_key", "bucket", "secure"],
}


@pytest.fixture(scope="module")
def files(hand_out: HandOut) -> Files:
    return hand_out("assistant")


@pytest.fixture(scope="module")
def config(files: Files) -> dict[str, Any]:
    return files.yaml(FILE)


@pytest.fixture(scope="module")
def login(config: dict[str, Any]) -> dict[str, Any]:
    own = config["postgres"]
    facts = {"host": own["host"], "port": own["port"], "dbname": own["database"]}
    return {**facts, "user": own["user"], "password": own["password"], "connect_timeout": clients.SECONDS}


@pytest.fixture(scope="module")
def pool(config: dict[str, Any], login: dict[str, Any]) -> Iterator[Pool]:
    """As large as the file has it."""
    size = config["postgres"]["pool_size"]
    with ConnectionPool(kwargs=login, min_size=size, max_size=size, timeout=clients.SECONDS) as made:
        yield made


@pytest.fixture
def cache(config: dict[str, Any], files: Files) -> Iterator[redis.Redis]:
    own = config["redis"]
    login: dict[str, Any] = {"db": own["db"], "password": own["password"], "socket_timeout": clients.SECONDS}
    login["ssl"] = clients.encrypted(files.env)
    with redis.Redis(host=own["host"], port=own["port"], **login, decode_responses=True) as client:
        yield client


@pytest.fixture
def store(config: dict[str, Any]) -> Minio:
    own = config["minio"]
    login: dict[str, Any] = {"access_key": own["access_key"], "secret_key": own["secret_key"], "secure": own["secure"]}
    return Minio(own["endpoint"], **login, http_client=clients.http())


@pytest.fixture
def user(session: Session) -> uuid.UUID:
    insert = "INSERT INTO user_profiles (username, email) VALUES (%s, %s) RETURNING id"
    name = f"smoke-{uuid.uuid4()}"
    found = session.execute(insert, (name, f"{name}@example.org")).fetchone()
    assert found
    made: uuid.UUID = found[0]
    return made


@pytest.mark.quick
def test_its_file_has_the_documents_keys_and_no_others(config: dict[str, Any]) -> None:
    assert {section: list(values) for section, values in config.items()} == KEYS
    assert (config["postgres"]["pool_size"], config["redis"]["default_ttl"]) == (5, 3600)
    assert (config["postgres"]["echo"], config["qdrant"]["collection_prefix"]) == (False, "assistant_")


def test_placeholders_beside_an_env_file_come_to_the_same(hand_out: HandOut, config: dict[str, Any]) -> None:
    import yaml

    files = hand_out("assistant", placeholders=True)
    text = files.text(FILE)
    for secret in (config["postgres"]["password"], config["redis"]["password"], config["minio"]["secret_key"]):
        assert secret not in text
    assert "${POSTGRES_PASSWORD:-}" in text
    assert yaml.safe_load(expanded(text, files.env)) == config


@pytest.mark.quick
def test_every_backend_lets_it_in(
    login: dict[str, Any], cache: redis.Redis, store: Minio, config: dict[str, Any]
) -> None:
    with psycopg.connect(**login) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert cache.ping()
    assert store.bucket_exists(config["minio"]["bucket"])


def test_a_whole_pool_is_served_at_once(pool: Pool, config: dict[str, Any]) -> None:
    assert served_at_once(pool, config["postgres"]["pool_size"]) == config["postgres"]["pool_size"]


def test_a_profile_is_kept_once(session: Session, user: uuid.UUID) -> None:
    session.execute("UPDATE user_profiles SET preferences = %s WHERE id = %s", (json.dumps({"tone": "brief"}), user))
    read = "SELECT preferences ->> 'tone', updated_at >= created_at, username FROM user_profiles WHERE id = %s"
    found = session.execute(read, (user,)).fetchone()
    assert found
    assert found[:2] == ("brief", True)
    with pytest.raises(psycopg.errors.UniqueViolation), session.transaction():
        session.execute("INSERT INTO user_profiles (username) VALUES (%s)", (found[2],))
    missing = session.execute("SELECT FROM user_profiles WHERE id = %s", (uuid.uuid4(),)).fetchone()
    assert missing is None


def test_agents_keep_their_states_and_tasks_their_history(session: Session, user: uuid.UUID) -> None:
    insert = "INSERT INTO agent_states (user_id, agent, state) VALUES (%s, 'planner', %s) RETURNING version"
    assert session.execute(insert, (user, json.dumps({"step": 1}))).fetchone() == (1,)
    update = "UPDATE agent_states SET state = %s, version = version + 1 WHERE user_id = %s AND version = %s"
    assert session.execute(update, (json.dumps({"step": 2}), user, 1)).rowcount == 1
    assert session.execute(update, (json.dumps({"step": 3}), user, 1)).rowcount == 0, "somebody else was faster"
    for status in ("succeeded", "failed"):
        session.execute(
            "INSERT INTO task_history (user_id, agent, task_type, status) VALUES (%s, 'planner', 'search', %s)",
            (user, status),
        )
    history = "SELECT status FROM task_history WHERE user_id = %s ORDER BY status"
    assert session.execute(history, (user,)).fetchall() == [("failed",), ("succeeded",)]


def test_a_conversation_is_read_in_the_order_in_which_it_was_held(session: Session, user: uuid.UUID) -> None:
    made = session.execute("INSERT INTO conversations (user_id) VALUES (%s) RETURNING id", (user,)).fetchone()
    assert made
    said = [("user", "Hello"), ("assistant", "Hi"), ("user", "What is new?")]
    with session.cursor() as cursor:
        insert = "INSERT INTO conversation_logs (conversation_id, role, content) VALUES (%s, %s, %s)"
        cursor.executemany(insert, [(made[0], *line) for line in said])
    read = "SELECT role, content FROM conversation_logs WHERE conversation_id = %s ORDER BY id"
    assert session.execute(read, made).fetchall() == said


def test_the_cache_has_values_documents_and_a_time_to_live(cache: redis.Redis, config: dict[str, Any]) -> None:
    key, default = f"smoke:{uuid.uuid4()}", config["redis"]["default_ttl"]
    try:
        cache.set(key, "value", ex=default)
        assert cache.get(key) == "value"
        assert default - 60 < int(cache.ttl(key)) <= default
        cache.set(f"{key}:user", json.dumps({"name": "John"}), ex=default)
        assert json.loads(str(cache.get(f"{key}:user"))) == {"name": "John"}
        assert cache.delete(key) == 1
        assert cache.get(key) is None
    finally:
        cache.delete(key, f"{key}:user")


def test_the_cache_limits_rates_queues_tasks_and_publishes(cache: redis.Redis) -> None:
    key = f"smoke:{uuid.uuid4()}"
    try:
        with cache.pipeline() as pipe:
            pipe.incr(f"{key}:rate")
            pipe.expire(f"{key}:rate", 60)
            pipe.incr(f"{key}:rate")
            assert pipe.execute() == [1, True, 2]
        cache.lpush(f"{key}:tasks", "first", "second")
        assert list(cache.brpop([f"{key}:tasks"], timeout=clients.SECONDS) or ()) == [f"{key}:tasks", "first"]
        with clients.subscriber(cache) as listener:
            listener.subscribe(f"{key}:events")
            deadline, heard = time.monotonic() + clients.SECONDS, None
            while heard is None and time.monotonic() < deadline:
                cache.publish(f"{key}:events", "hello")
                heard = listener.get_message(timeout=0.2)
        assert heard
        assert heard["data"] == "hello"
    finally:
        cache.delete(f"{key}:rate", f"{key}:tasks")


@pytest.mark.parametrize("grpc", [False, True])
def test_documents_are_found_by_their_vectors(files: Files, config: dict[str, Any], grpc: bool) -> None:
    """Over both ports of the file. The key is not in the file, since the document's Qdrant asks for none."""
    from tests.smoke.applications import points

    own = config["qdrant"]
    collection, mark = f"{own['collection_prefix']}knowledge", f"doc1-{uuid.uuid4()}"
    where: dict[str, Any] = {
        "host": own["host"],
        "port": own["port"],
        "grpc_port": own["grpc_port"],
        "prefer_grpc": grpc,
    }
    with points.connected(**where, https=config["minio"]["secure"], api_key=files.env["QDRANT_API_KEY"]) as client:
        documents = [(f"{mark}-{number}", points.direction(1536, number / 4)) for number in range(3)]
        payloads = [{"id": id, "text": f"Text of {id}", "metadata": {"source": mark}} for id, _ in documents]
        try:
            made = [
                points.point(id, vector, **payload) for (id, vector), payload in zip(documents, payloads, strict=True)
            ]
            client.upsert(collection, made, wait=True)
            mine = points.matching(metadata__source=mark)
            found = client.query_points(
                collection, query=points.direction(1536, 0.2), query_filter=mine, limit=10, with_payload=True
            ).points
            assert [hit.payload and hit.payload["id"] for hit in found] == [f"{mark}-1", f"{mark}-0", f"{mark}-2"]
            assert found[0].payload == payloads[1]
        finally:
            points.remove(client, collection, metadata__source=mark)


def test_files_are_uploaded_read_and_shared_by_a_link(store: Minio, config: dict[str, Any]) -> None:
    from datetime import timedelta

    bucket, key, content = config["minio"]["bucket"], f"smoke/{uuid.uuid4()}/reports/2024/jan.pdf", b"%PDF-1.7 report"
    try:
        store.put_object(bucket, key, io.BytesIO(content), len(content), "application/pdf")
        answer = store.get_object(bucket, key)
        try:
            assert answer.read() == content
        finally:
            answer.close()
        link = store.presigned_get_object(bucket, key, timedelta(seconds=3600))
        fetched = clients.http().request("GET", link)
        assert (fetched.status, fetched.data) == (200, content)
        unsigned = clients.http().request("GET", link.partition("?")[0])
        assert unsigned.status == 403, "a file that is not shared is open"
    finally:
        store.remove_object(bucket, key)
    with pytest.raises(S3Error) as missing:
        store.stat_object(bucket, key)
    assert missing.value.code == "NoSuchKey"


def test_the_documents_health_checks_answer(config: dict[str, Any]) -> None:
    """The README has the commands, and why two of them changed."""
    scheme = "https" if config["minio"]["secure"] else "http"
    for address in (
        f"{config['qdrant']['host']}:{config['qdrant']['port']}/healthz",
        f"{config['minio']['endpoint']}/minio/health/live",
    ):
        assert clients.http().request("GET", f"{scheme}://{address}").status == 200, address
