"""What was acknowledged survives a restart and a crash. Disruptive: only with --disruptive, never in production."""

import io
import time
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
import redis
import urllib3
from minio.error import MinioException

from infra.contract import Backend, StackContract
from tests.smoke import carriers, clients

pytestmark = pytest.mark.disruptive

# From a stop to answering again: a clean shutdown of a loaded server, its start and its recovery.
DEADLINE = 90.0

# What a backend that is not back yet makes of a request.
TRANSIENT = (psycopg.Error, redis.RedisError, MinioException, urllib3.exceptions.HTTPError, AssertionError, OSError)


@pytest.fixture(params=["restart", "crash"])
def disturb(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


def disturbed(backend: Backend | None, disturb: str) -> None:
    """Disturbs the backend, and returns when another process than before runs it."""
    carrier = carriers.of(backend)
    before = carrier.process()
    getattr(carrier, disturb)()
    eventually(lambda: carrier.process() != before, "the backend runs again")


def eventually(check: Callable[[], Any], what: str) -> Any:
    """The first true answer of `check`. After the deadline, fails with what was last seen."""
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            last = check()
            if last:
                return last
        except TRANSIENT as error:
            last = f"{type(error).__name__}: {error}"
        if time.monotonic() > deadline:
            pytest.fail(f"{what}: not within {DEADLINE:.0f} s; last seen: {last}")
        time.sleep(0.1)


def test_a_committed_row_survives(contract: StackContract, disturb: str) -> None:
    name = f"smoke/{uuid.uuid4()}"

    def service(statement: str) -> int:
        with clients.postgres(contract, "alfred") as connection:
            connection.execute("SET LOCAL ROLE service_role")
            return connection.execute(statement, [name]).rowcount

    service("INSERT INTO storage.objects (bucket_id, name) VALUES ('system-backups', %s)")
    try:
        disturbed(contract.backends.postgres, disturb)
        found = eventually(lambda: (service("SELECT FROM storage.objects WHERE name = %s"),), "Postgres answers again")
        assert found == (1,), "an acknowledged row was lost"
    finally:
        eventually(lambda: (service("DELETE FROM storage.objects WHERE name = %s"),), "the row is removed")


def test_a_key_survives(contract: StackContract, disturb: str) -> None:
    slice_ = contract.applications["alfred"].redis
    assert slice_
    key = f"{slice_.prefix}smoke:{uuid.uuid4()}"
    with clients.redis_client(contract, "alfred") as client:
        client.set(key, "kept", ex=3600)
        written = time.monotonic()
        # appendfsync everysec: what is older than a second is on disk, which is what is promised for a crash.
        eventually(lambda: time.monotonic() - written > 1.5, "the log was flushed")
        try:
            disturbed(contract.backends.redis, disturb)
            value = eventually(lambda: (client.get(key),), "Redis answers again")
            assert value == ("kept",), "a key older than the promised second was lost"
        finally:
            eventually(lambda: (client.delete(key),), "the key is removed")


def test_an_object_survives(contract: StackContract, disturb: str) -> None:
    if not contract.applications["alfred"].object_store:
        pytest.skip("alfred has no buckets in this stack")
    slice_ = clients.object_store_slice(contract, "alfred")
    bucket, key = next(iter(slice_.buckets.values())).name, f"strata-smoke/{uuid.uuid4()}"
    content = uuid.uuid4().bytes * 65536
    client = clients.object_store(contract, "alfred")
    client.put_object(bucket, key, io.BytesIO(content), len(content))
    try:
        disturbed(contract.backends.object_store, disturb)

        def read() -> tuple[bytes]:
            with client.get_object(bucket, key) as answer:
                return (answer.data,)

        assert eventually(read, "the object store answers again") == (content,), "an acknowledged object was lost"
    finally:
        eventually(lambda: (client.remove_object(bucket, key),), "the object is removed")


def test_points_survive(contract: StackContract, disturb: str) -> None:
    if not contract.applications["alfred"].qdrant:
        pytest.skip("alfred has no collections in this stack")
    from tests.smoke.qdrant_space import Space  # with the official client, which takes more than a second

    space = Space(next(iter(clients.qdrant_slice(contract, "alfred").collections.values())), 200)
    mine = [{"key": key, "match": {"value": value}} for key, value in space.mark.items()]

    def ask(what: str, *more: dict[str, Any], **body: Any) -> Any:
        path = f"/collections/{space.name}/points/{what}"
        status, answer = clients.qdrant_request(
            contract, "alfred", "POST", path, {"filter": {"must": [*mine, *more]}, **body}
        )
        assert status == 200, answer
        return answer["result"]

    def found() -> tuple[int, int]:
        changed = {"key": "new", "match": {"value": True}}
        return ask("count", exact=True)["count"], ask("count", changed, exact=True)["count"]

    try:
        with clients.qdrant(contract, "alfred") as client:
            space.write(client, 0, 200, lambda number: {"number": number})
            client.set_payload(space.name, {"new": True}, [*space.ids[:50]], wait=True)
            client.delete(space.name, [*space.ids[180:]], wait=True)
        disturbed(contract.backends.qdrant, disturb)
        assert eventually(found, "Qdrant answers again") == (180, 50), "an acknowledged write was lost"
        query = space.vectors[7].tolist()
        nearest = ask("query", query=query, limit=1, **({"using": space.using} if space.using else {}))
        assert nearest["points"][0]["id"] == space.nearest(query, 1)[0][0]
    finally:
        eventually(lambda: ask("delete?wait=true"), "the points are removed")
