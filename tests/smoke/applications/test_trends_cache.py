"""Trends' cache and vectors, as its document shows them: it knows the variables of its .env."""

import json
import pickle
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import redis

from tests.smoke import clients
from tests.smoke.applications.conftest import HandOut

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

pytestmark = pytest.mark.application("trends")

COLLECTION = "trend_embeddings"


@pytest.fixture(scope="module")
def env(hand_out: HandOut) -> dict[str, str]:
    return hand_out("trends").env


@pytest.fixture
def cache(env: dict[str, str]) -> Iterator[redis.Redis]:
    login: dict[str, Any] = {"password": env["REDIS_PASSWORD"], "socket_timeout": clients.SECONDS}
    login["ssl"] = clients.encrypted(env)
    with redis.Redis(host=env["REDIS_HOST"], port=int(env["REDIS_PORT"]), **login) as client:
        yield client


@pytest.fixture
def key(cache: redis.Redis) -> Iterator[str]:
    """The beginning of keys that nobody else has; they go at the end."""
    made = f"smoke:{uuid.uuid4()}"
    yield made
    for found in cache.scan_iter(f"{made}*"):
        cache.delete(found)


@pytest.fixture
def vectors(env: dict[str, str]) -> Iterator["QdrantClient"]:
    from tests.smoke.applications import points

    where: dict[str, Any] = {"host": env["QDRANT_HOST"], "port": int(env["QDRANT_PORT"])}
    where["https"] = clients.encrypted(env)
    with points.connected(**where, api_key=env["QDRANT_API_KEY"]) as client:
        yield client


def test_vectors_are_upserted_in_batches_filtered_scored_and_scrolled(vectors: "QdrantClient") -> None:
    from tests.smoke.applications import points

    mark = f"smoke-{uuid.uuid4()}"
    about = {"trend_id": mark, "category": "Technology", "language": "en"}
    made = [
        points.point(f"{mark}-{number}", points.direction(1536, number / 8), id=f"trend_{number}", **about)
        for number in range(12)
    ]
    mine = points.matching(trend_id=mark, category="Technology")
    try:
        vectors.upsert(COLLECTION, made, wait=True)
        near = vectors.query_points(
            COLLECTION, query=points.direction(1536, 0), query_filter=mine, limit=10, score_threshold=0.7
        ).points
        # cos(6/8) is 0.73, cos(7/8) is 0.64.
        assert [hit.payload and hit.payload["id"] for hit in near] == [f"trend_{number}" for number in range(7)]
        assert all(hit.score >= 0.7 for hit in near)
        seen, offset = [], None
        while True:
            page, offset = vectors.scroll(COLLECTION, scroll_filter=mine, limit=5, offset=offset)
            seen += [record.id for record in page]
            if offset is None:
                break
        assert sorted(map(str, seen)) == sorted(str(point.id) for point in made)
        assert vectors.count(COLLECTION, points.matching(trend_id=mark, language="de")).count == 0
    finally:
        points.remove(vectors, COLLECTION, trend_id=mark)
    assert vectors.count(COLLECTION, points.matching(trend_id=mark)).count == 0


def test_its_payload_fields_are_indexed(vectors: "QdrantClient") -> None:
    found = vectors.get_collection(COLLECTION)
    assert {"trend_id", "category", "language"} <= found.payload_schema.keys()


def test_the_cache_keeps_values_with_their_time_to_live(cache: redis.Redis, key: str, env: dict[str, str]) -> None:
    """JSON for what it can say, pickle for the rest."""
    cache.set(f"{key}:trending", json.dumps(["AI", "Climate", "Sports"]), ex=1800)
    assert json.loads(cache.get(f"{key}:trending") or b"") == ["AI", "Climate", "Sports"]
    assert 1700 < int(cache.ttl(f"{key}:trending")) <= 1800
    cache.set(f"{key}:pickled", pickle.dumps({1, 2, 3}), ex=int(env["REDIS_DEFAULT_TTL"]))
    pickled = cache.get(f"{key}:pickled")
    assert isinstance(pickled, bytes)
    assert pickle.loads(pickled) == {1, 2, 3}  # noqa: S301 - our own


def test_the_cache_counts_and_has_hashes_and_lists(cache: redis.Redis, key: str) -> None:
    assert [cache.incrby(f"{key}:views", 1), cache.incrby(f"{key}:views", 4), cache.decrby(f"{key}:views", 2)] == [
        1,
        5,
        3,
    ]
    cache.hset(f"{key}:trend", "title", "AI Breakthrough")
    cache.hset(f"{key}:trend", "score", "95.5")
    assert cache.hgetall(f"{key}:trend") == {b"title": b"AI Breakthrough", b"score": b"95.5"}
    cache.rpush(f"{key}:list", "a", "b", "c")
    assert cache.lrange(f"{key}:list", 0, -1) == [b"a", b"b", b"c"]
    assert (cache.lpop(f"{key}:list"), cache.rpop(f"{key}:list")) == (b"a", b"c")


def test_the_cache_finds_and_deletes_keys_by_pattern(cache: redis.Redis, key: str) -> None:
    with cache.pipeline(transaction=False) as pipe:
        for number in range(20):
            pipe.set(f"{key}:page:{number}", number, ex=60)
        assert all(pipe.execute())
    found = set(cache.scan_iter(f"{key}:page:*"))
    assert len(found) == 20
    assert cache.delete(*found) == 20
    assert list(cache.scan_iter(f"{key}:page:*")) == []
