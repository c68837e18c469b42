"""Praval, as its document shows it: it knows the variables of its environment."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import redis
from psycopg.rows import TupleRow

from tests.smoke import clients
from tests.smoke.applications.conftest import HandOut

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

pytestmark = pytest.mark.application("praval")

DOCUMENTED = [
    *("POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD"),
    *("REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_S3_BUCKET", "AWS_REGION"),
    *("QDRANT_URL", "QDRANT_COLLECTION"),
]
Session = psycopg.Connection[TupleRow]


@pytest.fixture(scope="module")
def env(hand_out: HandOut) -> dict[str, str]:
    return hand_out("praval").env


@pytest.fixture
def session(env: dict[str, str]) -> Iterator[Session]:
    """In a transaction that is rolled back."""
    with psycopg.connect(
        host=env["POSTGRES_HOST"],
        port=env["POSTGRES_PORT"],
        dbname=env["POSTGRES_DB"],
        user=env["POSTGRES_USER"],
        password=env["POSTGRES_PASSWORD"],
        connect_timeout=clients.SECONDS,
    ) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def cache(env: dict[str, str]) -> Iterator[redis.Redis]:
    login: dict[str, Any] = {
        "db": 0,
        "password": env["REDIS_PASSWORD"],
        "socket_timeout": clients.SECONDS,
        "decode_responses": True,
        "ssl": clients.encrypted(env),
    }
    with redis.Redis(host=env["REDIS_HOST"], port=int(env["REDIS_PORT"]), **login) as client:
        yield client


@pytest.fixture
def s3(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """As boto3 makes it from the environment alone."""
    for name, value in env.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    import boto3  # type: ignore[import-untyped]  # its stubs are a package of their own

    return boto3.session.Session().client("s3")


@pytest.fixture
def key(s3: Any, env: dict[str, str]) -> Iterator[str]:
    """Of an object that nobody else has. It goes at the end; its versions are the stack's to delete."""
    made = f"smoke/{uuid.uuid4()}/training_data_v1.json"
    yield made
    s3.delete_object(Bucket=env["AWS_S3_BUCKET"], Key=made)


@pytest.fixture
def vectors(env: dict[str, str]) -> Iterator["QdrantClient"]:
    from tests.smoke.applications import points

    with points.connected(url=env["QDRANT_URL"], api_key=env["QDRANT_API_KEY"]) as client:
        yield client


def store(session: Session, key: str, data: object, **metadata: object) -> None:
    insert = "INSERT INTO storage (key, data, metadata) VALUES (%s, %s, %s)"
    session.execute(insert, (key, json.dumps(data), json.dumps(metadata)))


@pytest.mark.quick
def test_it_has_every_variable_of_the_document(env: dict[str, str]) -> None:
    assert [name for name in DOCUMENTED if not env.get(name)] == []
    assert (env["POSTGRES_DB"], env["POSTGRES_USER"], env["QDRANT_COLLECTION"]) == (
        "praval",
        "praval",
        "praval_vectors",
    )
    assert env["AWS_S3_BUCKET"].endswith("praval-data")


@pytest.mark.quick
def test_every_backend_lets_it_in(session: Session, cache: redis.Redis, env: dict[str, str]) -> None:
    assert session.execute("SELECT current_user").fetchone() == ("praval",)
    assert cache.ping()
    answer = clients.http().request(
        "GET",
        f"{env['QDRANT_URL']}/collections/{env['QDRANT_COLLECTION']}",
        headers={"api-key": env["QDRANT_API_KEY"]},
    )
    assert answer.status == 200, answer.data


def test_data_is_stored_retrieved_deleted_and_its_key_is_taken_once(session: Session) -> None:
    key = f"smoke-{uuid.uuid4()}"
    store(session, key, {"user_id": 123, "action": "login"}, event_type="authentication")
    read = "SELECT data, metadata, created_at <= now() FROM storage WHERE key = %s"
    expected = ({"user_id": 123, "action": "login"}, {"event_type": "authentication"}, True)
    assert session.execute(read, (key,)).fetchone() == expected
    with pytest.raises(psycopg.errors.UniqueViolation), session.transaction():
        store(session, key, {})
    assert session.execute("DELETE FROM storage WHERE key = %s", (key,)).rowcount == 1
    assert session.execute(read, (key,)).fetchone() is None


def test_data_is_queried_by_its_metadata(session: Session) -> None:
    mark = str(uuid.uuid4())
    for number, kind in enumerate(("authentication", "authentication", "payment")):
        store(session, f"{mark}-{number}", {"n": number}, event_type=kind, run=mark, tags=["important", "verified"])
    query = "SELECT data ->> 'n' FROM storage WHERE metadata @> %s ORDER BY key LIMIT 100"
    wanted = json.dumps({"run": mark, "event_type": "authentication"})
    assert session.execute(query, (wanted,)).fetchall() == [("0",), ("1",)]
    assert session.execute(query, (json.dumps({"run": mark, "tags": ["verified"]}),)).rowcount == 3


def test_rows_with_a_ttl_stop_to_count_and_are_cleaned_up(session: Session) -> None:
    mark = str(uuid.uuid4())
    store(session, f"{mark}-over", {}, ttl=1)
    store(session, f"{mark}-live", {}, ttl=3600)
    store(session, f"{mark}-kept", {})
    session.execute("UPDATE storage SET created_at = now() - interval '2 s' WHERE key = %s", (f"{mark}-over",))
    live = "SELECT key FROM live_storage WHERE starts_with(key, %s) ORDER BY key"
    assert session.execute(live, (mark,)).fetchall() == [(f"{mark}-kept",), (f"{mark}-live",)]
    while session.execute("SELECT delete_expired(1)").fetchone() != (0,):
        pass
    left = "SELECT count(*) FROM storage WHERE starts_with(key, %s)"
    assert session.execute(left, (mark,)).fetchone() == (2,)
    with pytest.raises(psycopg.errors.CheckViolation), session.transaction():
        store(session, f"{mark}-wrong", {}, ttl="soon")


def test_its_provider_may_make_tables_of_its_own(session: Session) -> None:
    name = f"smoke_{uuid.uuid4().hex}"
    session.execute(f"CREATE TABLE IF NOT EXISTS {name} (key text PRIMARY KEY, data jsonb, metadata jsonb)".encode())
    session.execute(f"INSERT INTO {name} VALUES ('a', '1')".encode())
    assert session.execute(f"SELECT data FROM {name}".encode()).fetchone() == (1,)


def test_cached_data_expires_after_its_ttl(cache: redis.Redis) -> None:
    key = f"session:smoke:{uuid.uuid4()}"
    try:
        cache.set(key, json.dumps({"session_id": "abc123", "user": "alice"}), ex=3600)
        assert json.loads(str(cache.get(key)))["user"] == "alice"
        assert 3500 < int(cache.ttl(key)) <= 3600
        assert cache.pexpire(key, 50)
        deadline = time.monotonic() + clients.SECONDS
        while cache.exists(key):
            assert time.monotonic() < deadline, f"it still has {cache.pttl(key)} ms to live"
    finally:
        cache.delete(key)


def test_the_cache_is_atomic_and_publishes(cache: redis.Redis) -> None:
    key = f"smoke:{uuid.uuid4()}"
    with clients.subscriber(cache) as listener:
        listener.subscribe(key)
        deadline, heard = time.monotonic() + clients.SECONDS, None
        while heard is None and time.monotonic() < deadline:
            with cache.pipeline() as pipe:
                pipe.set(key, 1, nx=True, ex=60)
                pipe.incr(key)
                pipe.publish(key, "hello")
                pipe.delete(key)
                assert pipe.execute() == [True, 2, 1, 1]
            heard = listener.get_message(timeout=0.2)
    assert heard
    assert heard["data"] == "hello"


def test_large_data_keeps_its_versions(s3: Any, env: dict[str, str], key: str) -> None:
    bucket = env["AWS_S3_BUCKET"]
    for content in (b"first", b"second"):
        s3.put_object(Bucket=bucket, Key=key, Body=content, Metadata={"version": content.decode()})
    listed = s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]
    assert len(listed) == 2
    oldest = next(version["VersionId"] for version in listed if not version["IsLatest"])
    read = s3.get_object(Bucket=bucket, Key=key, VersionId=oldest)
    assert (read["Body"].read(), read["Metadata"]) == (b"first", {"version": "first"})
    s3.delete_object(Bucket=bucket, Key=key)
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=bucket, Key=key)
    assert s3.get_object(Bucket=bucket, Key=key, VersionId=oldest)["Body"].read() == b"first", "a deletion lost it"


def test_a_link_opens_one_object(s3: Any, env: dict[str, str], key: str) -> None:
    s3.put_object(Bucket=env["AWS_S3_BUCKET"], Key=key, Body=b"shared")
    link = s3.generate_presigned_url("get_object", {"Bucket": env["AWS_S3_BUCKET"], "Key": key}, ExpiresIn=60)
    answer = clients.http().request("GET", link)
    assert (answer.status, answer.data) == (200, b"shared")
    assert clients.http().request("GET", link.partition("?")[0]).status == 403


def test_vectors_are_found_by_meaning_and_category(vectors: "QdrantClient", env: dict[str, str]) -> None:
    collection, mark = env["QDRANT_COLLECTION"], f"smoke-{uuid.uuid4()}"
    from tests.smoke.applications import points

    made = [
        points.point(
            f"{mark}-{number}",
            points.direction(384, number / 4),
            key=mark,
            text=f"Text {number}",
            metadata={"category": category},
        )
        for number, category in enumerate(("documentation", "documentation", "code"))
    ]
    try:
        vectors.upsert(collection, made, wait=True)
        mine = points.matching(key=mark, metadata__category="documentation")
        found = vectors.query_points(collection, query=points.direction(384, 0.2), query_filter=mine, limit=5).points
        assert [hit.payload and hit.payload["text"] for hit in found] == ["Text 1", "Text 0"]
        assert found[0].score > found[1].score > 0.9
    finally:
        points.remove(vectors, collection, key=mark)


def test_what_was_stored_in_several_backends_is_taken_back_from_all(
    session: Session, cache: redis.Redis, s3: Any, env: dict[str, str], key: str
) -> None:
    """The document's pseudo-transaction: each reference that was made is deleted again."""
    store(session, key, {"part": 1})
    cache.set(key, "2", ex=60)
    s3.put_object(Bucket=env["AWS_S3_BUCKET"], Key=key, Body=b"3")
    assert session.execute("DELETE FROM storage WHERE key = %s", (key,)).rowcount == 1
    assert cache.delete(key) == 1
    s3.delete_object(Bucket=env["AWS_S3_BUCKET"], Key=key)
    assert s3.list_objects_v2(Bucket=env["AWS_S3_BUCKET"], Prefix=key)["KeyCount"] == 0
