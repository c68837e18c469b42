"""Qdrant through its official client, over REST and gRPC: searches, filters, payloads, and refusals.

`qdrant_client` is imported where it is used: that takes more than a second, and the quick tests, for which this module
is read too, do without it.
"""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from components.jwt_hs256 import claims, sign
from infra.contract import StackContract
from tests.smoke import clients

if TYPE_CHECKING:
    from qdrant_client import QdrantClient, models

    from tests.smoke.qdrant_space import Space

POINTS: Final = 1000
NEAREST: Final = 10
RECALL: Final = 0.95  # of an index that is not exact; the smallest acceptable mean
SINCE: Final = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def app(contract: StackContract) -> str:
    names = [name for name, slices in contract.applications.items() if slices.qdrant]
    if not names:
        pytest.skip("no application of this stack has collections")
    return names[0]


@pytest.fixture(scope="module")
def by_protocol(contract: StackContract, app: str) -> Iterator[dict[str, "QdrantClient"]]:
    with clients.qdrant(contract, app) as rest, clients.qdrant(contract, app, grpc=True) as grpc:
        yield {"rest": rest, "grpc": grpc}


@pytest.fixture(params=["rest", "grpc"])
def protocol(request: pytest.FixtureRequest, contract: StackContract, app: str) -> str:
    assert contract.backends.qdrant
    if request.param == "grpc" and contract.backends.qdrant.views["host"].grpc_port is None:
        pytest.skip("this platform offers no gRPC")
    return str(request.param)


@pytest.fixture
def client(by_protocol: dict[str, "QdrantClient"], protocol: str) -> "QdrantClient":
    return by_protocol[protocol]


@pytest.fixture(scope="module")
def space(contract: StackContract, app: str, by_protocol: dict[str, "QdrantClient"]) -> Iterator["Space"]:
    """The application's first collection with POINTS points that only these tests know, half by either protocol."""
    from tests.smoke.qdrant_space import Space

    made = Space(next(iter(clients.qdrant_slice(contract, app).collections.values())), POINTS)
    try:
        made.write(by_protocol["rest"], 0, POINTS // 2, payload)
        made.write(by_protocol["grpc"], POINTS // 2, POINTS, payload)
        yield made
    finally:
        by_protocol["rest"].delete(made.name, made.only(), wait=True)


@pytest.fixture
def few(space: "Space", by_protocol: dict[str, "QdrantClient"]) -> Iterator["Space"]:
    """25 points that one test may change."""
    from tests.smoke.qdrant_space import Space

    made = Space(space.collection, 25)
    try:
        made.write(by_protocol["rest"], 0, 25, payload)
        yield made
    finally:
        by_protocol["rest"].delete(made.name, made.only(), wait=True)


def payload(number: int) -> dict[str, Any]:
    return {
        "kind": ("image", "text", "audio")[number % 3],
        "number": number,
        "at": (SINCE + timedelta(days=number)).isoformat(),
        "tags": [f"t{number % 5}", f"t{number % 7}"],
        "deep": {"flag": number % 2 == 0},
    }


@pytest.mark.timeout(300)
def test_the_nearest_vectors_are_found(client: "QdrantClient", space: "Space") -> None:
    shares = []
    for query in space.queries(20):
        answer = client.query_points(
            space.name, query=query, using=space.using, query_filter=space.only(), limit=NEAREST
        ).points
        expected = space.nearest(query, NEAREST)
        scores = [found.score for found in answer]
        assert scores == sorted(scores, reverse=space.larger_is_nearer), "they are not in order"
        exact = dict(expected)
        for found in answer:
            if str(found.id) in exact:
                assert found.score == pytest.approx(exact[str(found.id)], rel=1e-3, abs=1e-3)
        shares.append(len({str(found.id) for found in answer} & exact.keys()) / NEAREST)
    assert sum(shares) / len(shares) >= RECALL, f"of the nearest {NEAREST} were found: {shares}"


def conditions() -> dict[str, tuple["models.Filter", Callable[[dict[str, Any]], bool]]]:
    """Name → a filter, and the same in Python."""
    from qdrant_client import models as m

    kind = m.FieldCondition(key="kind", match=m.MatchValue(value="text"))
    low = m.FieldCondition(key="number", range=m.Range(gte=10, lt=40))
    late = m.FieldCondition(key="at", range=m.DatetimeRange(gt=SINCE + timedelta(days=990)))
    tags = m.FieldCondition(key="tags", match=m.MatchAny(any=["t1", "t6"]))
    flag = m.FieldCondition(key="deep.flag", match=m.MatchValue(value=True))
    return {
        "keyword": (m.Filter(must=[kind]), lambda p: p["kind"] == "text"),
        "any of many": (m.Filter(must=[tags]), lambda p: bool({"t1", "t6"} & set(p["tags"]))),
        "nested": (m.Filter(must=[flag]), lambda p: bool(p["deep"]["flag"])),
        "range": (m.Filter(must=[low]), lambda p: 10 <= p["number"] < 40),
        "datetime": (m.Filter(must=[late]), lambda p: p["number"] > 990),
        "must": (m.Filter(must=[kind, low]), lambda p: p["kind"] == "text" and 10 <= p["number"] < 40),
        "should": (m.Filter(should=[late, low]), lambda p: p["number"] > 990 or 10 <= p["number"] < 40),
        "must not": (m.Filter(must=[low], must_not=[kind]), lambda p: p["kind"] != "text" and 10 <= p["number"] < 40),
        "all three": (
            m.Filter(must=[flag], should=[kind, low], must_not=[tags]),
            lambda p: (
                bool(p["deep"]["flag"])
                and (p["kind"] == "text" or 10 <= p["number"] < 40)
                and not {"t1", "t6"} & set(p["tags"])
            ),
        ),
    }


def test_filters_find_what_they_say(client: "QdrantClient", space: "Space") -> None:
    for name, (condition, holds) in conditions().items():
        expected = {space.ids[number] for number in range(POINTS) if holds(payload(number))}
        assert 0 < len(expected) < POINTS
        mine = space.only(condition)
        assert client.count(space.name, count_filter=mine, exact=True).count == len(expected), name
        found, _ = client.scroll(space.name, scroll_filter=mine, limit=POINTS)
        assert {str(record.id) for record in found} == expected, name
        nearest = client.query_points(
            space.name, query=space.vectors[0].tolist(), using=space.using, query_filter=mine, limit=5
        ).points
        assert {str(point.id) for point in nearest} <= expected, name
        assert len(nearest) == min(5, len(expected)), name


def test_pages_show_every_point_once(client: "QdrantClient", few: "Space") -> None:
    seen: list[str] = []
    offset = None
    for _ in range(10):
        page, offset = client.scroll(few.name, scroll_filter=few.only(), limit=7, offset=offset, with_payload=False)
        seen += [str(record.id) for record in page]
        if offset is None:
            break
    assert sorted(seen) == sorted(few.ids)


def test_payloads_are_set_replaced_and_removed(client: "QdrantClient", few: "Space") -> None:
    one, mark = few.ids[0], few.mark

    def now() -> dict[str, Any] | None:
        return client.retrieve(few.name, [one])[0].payload

    assert now() == {**payload(0), **mark}
    client.set_payload(few.name, {"kind": "video", "new": 1.5}, [one], wait=True)
    assert now() == {**payload(0), **mark, "kind": "video", "new": 1.5}
    client.delete_payload(few.name, ["new", "tags"], [one], wait=True)
    assert set(now() or {}) == {*payload(0), *mark} - {"tags"}
    client.overwrite_payload(few.name, {"only": [1, "a", None, {"b": True}], **mark}, [one], wait=True)
    assert now() == {"only": [1, "a", None, {"b": True}], **mark}
    client.clear_payload(few.name, [one], wait=True)
    assert not now()
    client.set_payload(few.name, mark, [one], wait=True)  # so that it is found and removed
    assert client.retrieve(few.name, [few.ids[1]])[0].payload == {**payload(1), **mark}, "another point was changed"


def test_a_point_is_replaced_and_deleted_by_id_and_by_filter(client: "QdrantClient", few: "Space") -> None:
    from qdrant_client import models

    few.write(client, 0, 1, lambda number: {"kind": "replaced"})
    assert client.retrieve(few.name, [few.ids[0]])[0].payload == {"kind": "replaced", **few.mark}
    client.delete(few.name, [few.ids[0]], wait=True)
    assert client.retrieve(few.name, [few.ids[0]]) == []
    texts = models.Filter(must=[models.FieldCondition(key="kind", match=models.MatchValue(value="text"))])
    client.delete(few.name, few.only(texts), wait=True)
    left = {id_ for number, id_ in enumerate(few.ids) if number and payload(number)["kind"] != "text"}
    found, _ = client.scroll(few.name, scroll_filter=few.only(), limit=100)
    assert {str(record.id) for record in found} == left


def test_many_queries_in_one_request_are_answered_in_their_order(client: "QdrantClient", space: "Space") -> None:
    from qdrant_client import models

    asked = [space.vectors[number].tolist() for number in (3, 700, 42)]
    requests = [models.QueryRequest(query=q, using=space.using, filter=space.only(), limit=1) for q in asked]
    answers = client.query_batch_points(space.name, requests)
    assert [str(answer.points[0].id) for answer in answers] == [space.nearest(q, 1)[0][0] for q in asked]


def test_a_limit_of_the_score_leaves_out_what_is_farther(client: "QdrantClient", space: "Space") -> None:
    query = space.queries(1)[0]
    exact = space.nearest(query, 6)
    limit = (exact[2][1] + exact[3][1]) / 2
    found = client.query_points(
        space.name, query=query, using=space.using, query_filter=space.only(), limit=6, score_threshold=limit
    ).points
    assert {str(point.id) for point in found} == {id_ for id_, _ in exact[:3]}


def refusal(attempt: Callable[[], object]) -> str | None:
    """How it was refused, None for what was let through."""
    import grpc
    from qdrant_client.http.exceptions import UnexpectedResponse

    try:
        attempt()
    except UnexpectedResponse as error:
        return {401: "not authenticated", 403: "forbidden"}.get(error.status_code or 0, str(error))
    except grpc.RpcError as error:
        known = {grpc.StatusCode.UNAUTHENTICATED: "not authenticated", grpc.StatusCode.PERMISSION_DENIED: "forbidden"}
        return known.get(error.code(), str(error))
    return None


def test_strangers_are_refused_over_both(contract: StackContract, app: str, space: "Space", protocol: str) -> None:
    token = clients.qdrant_credential(contract, app).password.get_secret_value()
    for who, key in (
        ("nobody", ""),
        ("a wrong key", "not-the-key"),
        ("a token of another signer", sign(claims(token), "not-the-key")),
    ):
        with clients.qdrant(contract, app, key=key, grpc=protocol == "grpc") as stranger:
            for attempt in (
                stranger.get_collections,
                lambda: stranger.count(space.name),
                lambda: stranger.delete(space.name, [str(uuid.UUID(int=1))]),
            ):
                assert refusal(attempt) in ("not authenticated", "forbidden"), f"{who} was let in"


def test_the_login_that_only_reads_writes_nothing_over_both(
    contract: StackContract, app: str, few: "Space", protocol: str
) -> None:
    credential = clients.qdrant_credential(contract, app).readonly
    if credential is None:
        pytest.skip("this platform has no such login")
    key, one = credential.password.get_secret_value(), few.ids[0]
    with clients.qdrant(contract, app, key=key, grpc=protocol == "grpc") as reader:
        assert reader.count(few.name, count_filter=few.only()).count == 25
        writes: dict[str, Callable[[], object]] = {
            "upsert": lambda: few.write(reader, 0, 1, payload),
            "delete": lambda: reader.delete(few.name, [one]),
            "set a payload": lambda: reader.set_payload(few.name, {"kind": "x"}, [one]),
            "clear a payload": lambda: reader.clear_payload(few.name, [one]),
        }
        assert {what: refusal(write) for what, write in writes.items()} == dict.fromkeys(writes, "forbidden")
        assert reader.retrieve(few.name, [one])[0].payload == {**payload(0), **few.mark}


def test_an_application_reaches_no_other_collection_over_both(client: "QdrantClient", space: "Space") -> None:
    from qdrant_client import models

    absent, id_ = "strata-smoke-no-such-collection", str(uuid.UUID(int=1))
    elsewhere = models.LookupLocation(collection="strata_logins")
    # What is allowed would fail on its arguments, or change nothing.
    attempts: dict[str, Callable[[], object]] = {
        "see who may log in": lambda: client.scroll("strata_logins"),
        "end a login": lambda: client.delete("strata_logins", [id_]),
        "take another's vectors": lambda: client.query_points(
            space.name, query=id_, using=space.using, lookup_from=elsewhere
        ),
        "read what is not declared": lambda: client.scroll(absent),
        "write what is not declared": lambda: client.delete(absent, [id_]),
        "make a collection": lambda: client.create_collection(
            space.name, models.VectorParams(size=1, distance=models.Distance.DOT)
        ),
        "delete a collection": lambda: client.delete_collection(absent),
        "change its collection": lambda: client.update_collection(space.name, models.OptimizersConfigDiff()),
        "rename a collection": lambda: client.update_collection_aliases([]),
        "see another's snapshots": lambda: client.list_snapshots("strata_logins"),
    }
    assert {what: refusal(attempt) for what, attempt in attempts.items()} == dict.fromkeys(attempts, "forbidden")
