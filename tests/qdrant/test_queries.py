"""Queries and filters against the client library's own in-memory mode, on random data."""

import random
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from qdrant_client import QdrantClient, models

from tests.qdrant.server import Server

SIZE, COUNT = 8, 300
CITIES = ["Berlin", "London", "Moscow", "Rome"]


def vector(rng: random.Random) -> list[float]:
    return [rng.uniform(-1, 1) for _ in range(SIZE)]


def payload(rng: random.Random, number: int) -> dict[str, Any]:
    full = {
        "number": number,
        "city": rng.choice(CITIES),
        "tags": rng.sample(CITIES, k=rng.randrange(4)),
        "price": round(rng.uniform(0, 100), 2),
        "text": " ".join(rng.choices(["red", "green", "blue", "light", "dark"], k=3)),
        "when": f"2024-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}T{rng.randrange(24):02}:00:00Z",
        "flag": rng.random() < 0.5,
        "nothing": rng.choice([None, [], 1]),
        "place": {"lon": round(rng.uniform(-180, 180), 4), "lat": round(rng.uniform(-80, 80), 4)},
        "parts": [{"name": rng.choice("abc"), "count": rng.randrange(5)} for _ in range(rng.randrange(3))],
        "deep": {"er": {"value": rng.randrange(10)}},
    }
    return {key: value for key, value in full.items() if key == "number" or rng.random() < 0.9}


def fill(client: QdrantClient, name: str) -> None:
    rng = random.Random(4)
    client.create_collection(
        name,
        vectors_config={
            "dot": models.VectorParams(size=SIZE, distance=models.Distance.DOT),
            "cosine": models.VectorParams(size=SIZE, distance=models.Distance.COSINE),
            "euclid": models.VectorParams(size=SIZE, distance=models.Distance.EUCLID),
            "manhattan": models.VectorParams(size=SIZE, distance=models.Distance.MANHATTAN),
        },
        sparse_vectors_config={"sparse": models.SparseVectorParams()},
    )
    points = []
    for number in range(COUNT):
        indices = sorted(rng.sample(range(30), k=5))
        vectors: dict[str, Any] = {each: vector(rng) for each in ("dot", "cosine", "euclid", "manhattan")}
        vectors["sparse"] = models.SparseVector(indices=indices, values=[rng.random() for _ in indices])
        if number % 10 == 0:
            del vectors["euclid"]
        points.append(models.PointStruct(id=number, vector=vectors, payload=payload(rng, number)))
    client.upsert(name, points)
    for field, kind in {"number": "integer", "city": "keyword", "when": "datetime", "price": "float"}.items():
        client.create_payload_index(name, field, models.PayloadSchemaType(kind))


@pytest.fixture(scope="module")
def oracle() -> Iterator[QdrantClient]:
    client = QdrantClient(":memory:")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Payload indexes have no effect")
        fill(client, "random")
    yield client
    client.close()


@pytest.fixture(scope="module")
def _filled(server: Server) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Api key is used with an insecure connection")
        fill(server.client(), "random")


@pytest.fixture
def both(_filled: None, client: QdrantClient, oracle: QdrantClient) -> tuple[QdrantClient, QdrantClient]:
    return client, oracle


def field(key: str, **condition: Any) -> models.Filter:
    return models.Filter(must=[models.FieldCondition(key=key, **condition)])


def point(lon: float, lat: float) -> models.GeoPoint:
    return models.GeoPoint(lon=lon, lat=lat)


RING = [point(-100, -50), point(100, -50), point(100, 50), point(-100, 50), point(-100, -50)]
BERLIN = models.FieldCondition(key="city", match=models.MatchValue(value="Berlin"))
CHEAP = models.FieldCondition(key="price", range=models.Range(lt=30))
FLAG = models.FieldCondition(key="flag", match=models.MatchValue(value=True))

FILTERS: dict[str, models.Filter] = {
    "match keyword": field("city", match=models.MatchValue(value="Berlin")),
    "match integer": field("number", match=models.MatchValue(value=7)),
    "match bool": field("flag", match=models.MatchValue(value=False)),
    "match in a list": field("tags", match=models.MatchValue(value="Rome")),
    "match any": field("city", match=models.MatchAny(any=["Berlin", "Rome"])),
    "match any integer": field("number", match=models.MatchAny(any=[1, 2, 3, 1000])),
    "match any of nothing": field("city", match=models.MatchAny(any=[])),
    "match except": field("city", match=models.MatchExcept(**{"except": ["Berlin", "Rome"]})),
    "match text": field("text", match=models.MatchText(text="red")),
    "match deep": field("deep.er.value", match=models.MatchValue(value=3)),
    "match in objects of a list": field("parts[].name", match=models.MatchValue(value="a")),
    "range": field("price", range=models.Range(gt=20, lte=80.5)),
    "datetime range": field("when", range=models.DatetimeRange(gte="2024-03-01T00:00:00Z", lt="2024-09-01T12:00:00Z")),
    "values count": field("tags", values_count=models.ValuesCount(gte=2)),
    "is empty": models.Filter(must=[models.IsEmptyCondition(is_empty=models.PayloadField(key="nothing"))]),
    "is null": models.Filter(must=[models.IsNullCondition(is_null=models.PayloadField(key="nothing"))]),
    "has id": models.Filter(must=[models.HasIdCondition(has_id=[1, 5, 9, 4000])]),
    "has vector": models.Filter(must=[models.HasVectorCondition(has_vector="euclid")]),
    "geo radius": field("place", geo_radius=models.GeoRadius(center=point(10, 10), radius=5e6)),
    "geo box": field("place", geo_bounding_box=models.GeoBoundingBox(top_left=RING[3], bottom_right=RING[1])),
    "geo polygon": field("place", geo_polygon=models.GeoPolygon(exterior=models.GeoLineString(points=RING))),
    "nested": models.Filter(
        must=[
            models.NestedCondition(
                nested=models.Nested(
                    key="parts",
                    filter=models.Filter(
                        must=[
                            models.FieldCondition(key="name", match=models.MatchValue(value="b")),
                            models.FieldCondition(key="count", range=models.Range(gte=2)),
                        ]
                    ),
                )
            )
        ]
    ),
    "must and must not": models.Filter(must=[BERLIN], must_not=[CHEAP]),
    "should": models.Filter(should=[BERLIN, CHEAP]),
    "must with should": models.Filter(must=[FLAG], should=[BERLIN, CHEAP]),
    "min should": models.Filter(min_should=models.MinShould(conditions=[BERLIN, CHEAP, FLAG], min_count=2)),
    "filter in a filter": models.Filter(must_not=[models.Filter(must=[BERLIN, FLAG])]),
    "nothing asked": models.Filter(),
}


@pytest.mark.parametrize("case", FILTERS)
def test_filters_find_what_the_oracle_finds(both: tuple[QdrantClient, QdrantClient], case: str) -> None:
    found, expected = (
        [record.id for record in client.scroll("random", scroll_filter=FILTERS[case], limit=COUNT)[0]]
        for client in both
    )
    assert found == expected
    assert both[0].count("random", count_filter=FILTERS[case]).count == len(expected)


RNG = random.Random(7)
TARGET = vector(RNG)
SPARSE = models.SparseVector(indices=[1, 4, 9, 20], values=[0.5, 1.0, 0.3, 0.7])
PAIR = models.ContextPair(positive=3, negative=17)
BEST = models.RecommendStrategy.BEST_SCORE
PREFETCH = [
    models.Prefetch(query=TARGET, using="dot", limit=20),
    models.Prefetch(query=SPARSE, using="sparse", limit=20, filter=field("price", range=models.Range(gt=10))),
]

QUERIES: dict[str, dict[str, Any]] = {
    "dot": {"query": TARGET, "using": "dot"},
    "cosine": {"query": TARGET, "using": "cosine"},
    "euclid": {"query": TARGET, "using": "euclid"},
    "manhattan": {"query": TARGET, "using": "manhattan"},
    "sparse": {"query": SPARSE, "using": "sparse"},
    "by id, which is left out": {"query": 12, "using": "dot"},
    "filtered": {"query": TARGET, "using": "cosine", "query_filter": FILTERS["must and must not"]},
    "a page": {"query": TARGET, "using": "dot", "offset": 7, "limit": 4},
    "threshold": {"query": TARGET, "using": "cosine", "score_threshold": 0.3},
    "distance threshold": {"query": TARGET, "using": "euclid", "score_threshold": 1.6},
    "some payload and vectors": {
        "query": TARGET,
        "using": "dot",
        "with_payload": ["city", "deep"],
        "with_vectors": ["cosine", "sparse"],
    },
    "payload without": {
        "query": TARGET,
        "using": "dot",
        "with_payload": models.PayloadSelectorExclude(exclude=["city", "place"]),
        "with_vectors": True,
    },
    "recommend": {
        "query": models.RecommendQuery(recommend=models.RecommendInput(positive=[1, 2, TARGET], negative=[5])),
        "using": "dot",
    },
    "recommend best": {
        "query": models.RecommendQuery(recommend=models.RecommendInput(positive=[1], negative=[5, 6], strategy=BEST)),
        "using": "cosine",
    },
    "discover": {
        "query": models.DiscoverQuery(discover=models.DiscoverInput(target=TARGET, context=[PAIR])),
        "using": "cosine",
    },
    "rrf": {"prefetch": PREFETCH, "query": models.FusionQuery(fusion=models.Fusion.RRF), "limit": 40},
    "dbsf": {"prefetch": PREFETCH, "query": models.FusionQuery(fusion=models.Fusion.DBSF), "limit": 5},
    "rescored": {"prefetch": PREFETCH[0], "query": vector(RNG), "using": "cosine", "limit": 5},
    "no query": {"limit": 6, "query_filter": FILTERS["match keyword"]},
    "ordered": {"query": models.OrderByQuery(order_by=models.OrderBy(key="number", direction=models.Direction.DESC))},
}


@pytest.mark.parametrize("case", QUERIES)
def test_queries_score_as_the_oracle_does(both: tuple[QdrantClient, QdrantClient], case: str) -> None:
    found, expected = (client.query_points("random", **QUERIES[case]).points for client in both)
    assert expected
    if case == "rrf":  # has equal scores, which may come in any order
        found, expected = (sorted(each, key=lambda hit: (-round(hit.score, 5), hit.id)) for each in (found, expected))
    assert [each.id for each in found] == [each.id for each in expected]
    if case not in ("no query", "ordered"):  # without a target the score says nothing
        assert [each.score for each in found] == pytest.approx([each.score for each in expected], abs=1e-4)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.payload == theirs.payload
        assert rounded(ours.vector) == rounded(theirs.vector)


def rounded(vectors: Any) -> Any:
    if isinstance(vectors, models.SparseVector):
        return {"indices": vectors.indices, "values": rounded(vectors.values)}
    if isinstance(vectors, dict):
        return {key: rounded(value) for key, value in vectors.items()}
    return None if vectors is None else [pytest.approx(value, abs=1e-4) for value in vectors]


def test_a_batch_answers_each_query_in_order(both: tuple[QdrantClient, QdrantClient]) -> None:
    requests = [
        models.QueryRequest(query=TARGET, using="dot", limit=3),
        models.QueryRequest(query=SPARSE, using="sparse", limit=2, filter=FILTERS["should"], with_payload=True),
    ]
    found, expected = ([each.points for each in client.query_batch_points("random", requests)] for client in both)
    assert [[point.id for point in points] for points in found] == [[point.id for point in p] for p in expected]
    assert [point.payload for point in found[1]] == [point.payload for point in expected[1]]


@pytest.mark.parametrize("key", ["city", "tags", "deep.er.value"])
def test_groups_hold_the_best_of_each_value(both: tuple[QdrantClient, QdrantClient], key: str) -> None:
    found, expected = (
        client.query_points_groups("random", key, query=TARGET, using="dot", limit=3, group_size=2).groups
        for client in both
    )
    # Groups that share their best point come in any order.
    assert {group.id: [hit.id for hit in group.hits] for group in found} == {
        group.id: [hit.id for hit in group.hits] for group in expected
    }
    best = [group.hits[0].score for group in found]
    assert best == sorted(best, reverse=True)


def test_scrolling_visits_every_point_once(both: tuple[QdrantClient, QdrantClient]) -> None:
    client, _ = both
    seen: list[Any] = []
    offset: Any = None
    while True:
        records, offset = client.scroll("random", limit=70, offset=offset, scroll_filter=FILTERS["match bool"])
        seen += [record.id for record in records]
        if offset is None:
            break
    assert seen == [record.id for record in both[1].scroll("random", FILTERS["match bool"], limit=COUNT)[0]]


def test_scrolling_in_the_order_of_a_field(both: tuple[QdrantClient, QdrantClient]) -> None:
    order = models.OrderBy(key="price", direction=models.Direction.DESC, start_from=50)
    found, expected = (client.scroll("random", order_by=order, limit=20)[0] for client in both)
    assert [(each.payload or {})["price"] for each in found] == [(each.payload or {})["price"] for each in expected]


def test_facets_count_each_value(both: tuple[QdrantClient, QdrantClient]) -> None:
    found, expected = (client.facet("random", "city", exact=True).hits for client in both)
    assert {hit.value: hit.count for hit in found} == {hit.value: hit.count for hit in expected}
