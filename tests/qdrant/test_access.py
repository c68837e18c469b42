"""Who may do what: keys and tokens, over both protocols."""

import time
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from components.jwt_hs256 import sign
from tests.qdrant.server import KEY, READ_ONLY_KEY, Server

VECTORS = models.VectorParams(size=2, distance=models.Distance.DOT)
POINT = models.PointStruct(id=1, vector=[1, 0], payload={"a": 1})

# Each operation, and what Qdrant's own table (tests/consensus_tests/auth_tests) says of the read-only key, of a token
# that may read one collection, and of one that may write it.
OPERATIONS: dict[str, tuple[Callable[[QdrantClient, str], Any], bool, bool, bool]] = {
    "list collections": (lambda client, name: client.get_collections(), True, True, True),
    "info": (lambda client, name: client.get_collection(name), True, True, True),
    "exists": (lambda client, name: client.collection_exists(name), True, True, True),
    "get": (lambda client, name: client.retrieve(name, [1]), True, True, True),
    "scroll": (lambda client, name: client.scroll(name), True, True, True),
    "count": (lambda client, name: client.count(name), True, True, True),
    "query": (lambda client, name: client.query_points(name, query=[1.0, 0.0]), True, True, True),
    "query batch": (
        lambda client, name: client.query_batch_points(name, [models.QueryRequest(query=[1.0, 0.0])]),
        True,
        True,
        True,
    ),
    "aliases": (lambda client, name: client.get_collection_aliases(name), True, True, True),
    "upsert": (lambda client, name: client.upsert(name, [POINT]), False, False, True),
    "delete": (lambda client, name: client.delete(name, [77]), False, False, True),
    "set payload": (lambda client, name: client.set_payload(name, {"a": 1}, [1]), False, False, True),
    "overwrite payload": (lambda client, name: client.overwrite_payload(name, {"a": 1}, [1]), False, False, True),
    "delete payload": (lambda client, name: client.delete_payload(name, ["b"], [1]), False, False, True),
    "clear payload": (lambda client, name: client.clear_payload(name, [1]), False, False, True),
    "batch": (
        lambda client, name: client.batch_update_points(
            name, [models.DeleteOperation(delete=models.PointIdsList(points=[77]))]
        ),
        False,
        False,
        True,
    ),
    "create index": (
        lambda client, name: client.create_payload_index(name, "a", models.PayloadSchemaType.INTEGER),
        False,
        False,
        True,
    ),
    "drop index": (lambda client, name: client.delete_payload_index(name, "zz"), False, False, True),
    "create collection": (lambda client, name: client.create_collection("new", VECTORS), False, False, False),
    "update collection": (lambda client, name: client.update_collection(name, metadata={"a": 1}), False, False, False),
    "delete collection": (lambda client, name: client.delete_collection("nothing"), False, False, False),
    "change aliases": (lambda client, name: client.update_collection_aliases([]), False, False, False),
}


@pytest.fixture
def collection(server: Server, name: str) -> str:
    client = server.client()
    client.create_collection(name, vectors_config=VECTORS)
    client.upsert(name, [POINT])
    return name


@pytest.fixture
def asking(server: Server, protocol: str) -> Callable[[str | None], QdrantClient]:
    """Clients of the protocol under test, by key."""
    return lambda key: server.client(key, grpc=protocol == "grpc")


def token(access: Any, key: str = KEY, **claims: Any) -> str:
    return sign({"access": access, **claims}, key)


def only(collection: str, access: str) -> list[dict[str, str]]:
    return [{"collection": collection, "access": access}]


def outcome(operation: Callable[[], Any]) -> str:
    """`ok`, or how it was refused."""
    try:
        operation()
    except UnexpectedResponse as error:
        return {401: "not authenticated", 403: "forbidden"}.get(error.status_code or 0, str(error))
    except grpc.RpcError as error:
        known = {grpc.StatusCode.UNAUTHENTICATED: "not authenticated", grpc.StatusCode.PERMISSION_DENIED: "forbidden"}
        return known.get(error.code(), str(error))
    return "ok"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_is_limited_as_qdrant_limits_it(
    asking: Callable[[str | None], QdrantClient], collection: str, operation: str
) -> None:
    ask, read_only, reader, writer = OPERATIONS[operation]
    expected = {
        None: "not authenticated",
        "wrong": "not authenticated",
        READ_ONLY_KEY: "ok" if read_only else "forbidden",
        token(only(collection, "r")): "ok" if reader else "forbidden",
        token(only(collection, "rw")): "ok" if writer else "forbidden",
        token("r"): "ok" if read_only else "forbidden",
        token(only(collection, "rw"), key="another key"): "forbidden",
    }
    if operation != "list collections":  # everybody gets a list, of what is theirs
        expected[token(only("other", "rw"))] = "forbidden"
    assert {key: outcome(lambda key=key: ask(asking(key), collection)) for key in expected} == expected  # type: ignore[misc]


def test_a_list_names_only_what_the_token_reaches(
    asking: Callable[[str | None], QdrantClient], server: Server, collection: str
) -> None:
    server.client().update_collection_aliases(
        [models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name=collection, alias_name="al"))]
    )
    mine, strangers = asking(token(only(collection, "r"))), asking(token(only("other", "r")))
    both = asking(token([*only(collection, "r"), *only("al", "r")]))
    assert [each.name for each in mine.get_collections().collections] == [collection]
    assert mine.get_aliases().aliases == [], "an alias has to be named in the token itself"
    assert mine.get_collection_aliases(collection).aliases == []
    assert [each.alias_name for each in both.get_aliases().aliases] == ["al"]
    assert strangers.get_collections().collections == []
    assert strangers.get_aliases().aliases == []


def test_vectors_of_another_collection_stay_out_of_reach(
    asking: Callable[[str | None], QdrantClient], server: Server, collection: str
) -> None:
    client = asking(token(only("other", "r")))
    foreign = models.LookupLocation(collection=collection)
    mine = asking(token([*only("other", "r"), *only(collection, "r")]))
    server.client().create_collection("other", VECTORS)
    try:
        prefetch = models.Prefetch(query=1, lookup_from=foreign)
        assert outcome(lambda: client.query_points("other", query=1, lookup_from=foreign)) == "forbidden"
        assert (
            outcome(lambda: client.query_points("other", prefetch=[prefetch], query=models.FusionQuery(fusion="rrf")))
            == "forbidden"
        )
        assert outcome(lambda: mine.query_points("other", query=1, lookup_from=foreign)) == "ok"
    finally:
        server.client().delete_collection("other")


def test_a_token_expires(asking: Callable[[str | None], QdrantClient], collection: str) -> None:
    now = int(time.time())
    assert outcome(lambda: asking(token("r", exp=now + 60)).count(collection)) == "ok"
    assert outcome(lambda: asking(token("r", exp=now - 60)).count(collection)) == "forbidden"


def test_a_token_is_revoked_by_removing_the_point_that_it_names(
    asking: Callable[[str | None], QdrantClient], server: Server, collection: str
) -> None:
    value = {"collection": collection, "matches": [{"key": "token", "value": "t-1"}]}
    client = asking(token(only(collection, "r"), value_exists=value))
    server.client().upsert(collection, [models.PointStruct(id=9, vector=[0, 0], payload={"token": "t-1"})])
    assert outcome(lambda: client.count(collection)) == "ok"
    server.client().delete(collection, [9])
    assert outcome(lambda: client.count(collection)) == "not authenticated"
    absent = token("r", value_exists={**value, "collection": "absent"})
    assert outcome(lambda: asking(absent).count(collection)) == "forbidden"


@pytest.mark.parametrize(
    "forged",
    [
        "eyJhbGciOiJub25lIn0.eyJhY2Nlc3MiOiJtIn0.",
        sign({"access": "m"}, KEY)[:-4] + "AAAA",
        sign({"access": "m"}, READ_ONLY_KEY),
        sign({"access": "everything"}, KEY),
        sign({"access": [{"collection": "c", "access": "rw", "payload": {"user": 1}}]}, KEY),
        sign({"access": [{"collection": "c", "access": "r"}, {"collection": "c", "access": "rw"}]}, KEY),
    ],
)
def test_forged_and_malformed_tokens_are_refused(asking: Callable[[str | None], QdrantClient], forged: str) -> None:
    assert outcome(asking(forged).get_collections) in ("not authenticated", "forbidden")


def test_a_bearer_is_as_good_as_the_header(server: Server) -> None:
    with server.http(None) as http:
        assert http.get("/collections", headers={"Authorization": f"Bearer {KEY}"}).status_code == 200
        assert http.get("/collections", headers={"Authorization": KEY}).status_code == 401


@pytest.mark.parametrize("path", ["/", "/healthz", "/livez", "/readyz"])
def test_health_needs_no_key(server: Server, path: str) -> None:
    with server.http(None) as http:
        assert http.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/collections", "/metrics", "/telemetry", "/no/such/path", "/healthz/x"])
def test_everything_else_needs_one(server: Server, path: str) -> None:
    with server.http(None) as http:
        answer = http.get(path)
    assert (answer.status_code, answer.text) == (401, "Must provide an API key or an Authorization bearer token")


def test_telemetry_tells_no_caller_of_the_collections_of_others(server: Server, collection: str) -> None:
    def counted(access: Any) -> int:
        with server.http(token(access)) as http:
            return int(http.get("/telemetry").json()["result"]["collections"]["number_of_collections"])

    assert [counted(only(collection, "r")), counted(only("other", "r"))] == [1, 0]
    assert counted("r") >= 1


def test_points_access_is_enough_for_the_details_and_not_for_snapshots(server: Server, collection: str) -> None:
    with server.http(token(only(collection, "prw"))) as http:
        statuses = [http.get(f"/collections/{collection}{path}").status_code for path in ("", "/aliases", "/snapshots")]
    assert statuses == [200, 200, 403]


def test_metrics_are_for_callers_who_may_see_everything(server: Server) -> None:
    def status(key: str) -> int:
        with server.http(key) as http:
            return http.get("/metrics").status_code

    assert [status(READ_ONLY_KEY), status(token("r")), status(token(only("c", "rw")))] == [200, 200, 403]
