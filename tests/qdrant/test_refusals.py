"""What is refused, with the status and the words of a real Qdrant."""

from typing import Any

import grpc
import httpx
import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from tests.qdrant.server import Server

VECTORS = models.VectorParams(size=2, distance=models.Distance.DOT)

INVALID_ID = "value x is not a valid point ID, valid values are either an unsigned integer or a UUID"
QUERY = "POST points/query"

REFUSALS: list[tuple[str, Any, int, str]] = [
    ("GET points/77", None, 404, "Not found: Point with id 77 does not exists!"),
    ("GET points/x", None, 400, 'Wrong input: Can not recognize "x" as point id'),
    ("PUT ", {"vectors": {"size": 2, "distance": "Dot"}}, 409, "Wrong input: Collection `{name}` already exists!"),
    ("PUT points", {"points": [{"id": 1, "vector": [1]}]}, 400, "Wrong input: Vector dimension error: expected dim: 2"),
    (
        "PUT points?wait=true",
        {"points": [{"id": 1, "vector": {"b": [1, 2]}}]},
        400,
        "Wrong input: Not existing vector name",
    ),
    ("PUT points", {"points": [{"id": "x", "vector": [1, 2]}]}, 400, f"Format error in JSON body: {INVALID_ID}"),
    ("PUT points", {"points": [{"id": -1, "vector": [1, 2]}]}, 400, "value -1 is not a valid point ID"),
    ("PUT points", {"points": [{"id": 1, "vector": []}]}, 422, "dense vector must not be empty"),
    (
        "POST points/count",
        {"filter": {"must": [{"slice": {"total": 0, "index": 0}}]}},
        400,
        "Format error in JSON body",
    ),
    ("POST points/count", {"filter": {"must": [{"slice": {"total": 2, "index": 2}}]}}, 422, "Validation error"),
    (
        "PUT index",
        {"field_name": "a", "field_schema": {"type": "integer", "lookup": False, "range": False}},
        422,
        "the 'lookup' and 'range' capabilities can't be both disabled",
    ),
    ("PUT points", {"points": [{"id": 1, "vector": ["a"]}]}, 400, "Format error in JSON body"),
    ("PUT points", {"unknown": 1}, 400, "Format error in JSON body"),
    ("POST points/payload?wait=true", {"payload": {"a": 1}, "points": [77]}, 404, "Not found: No point with id 77"),
    ("POST points/payload", {"payload": {"a": 1}}, 400, "Either list of point ids or filter must be provided"),
    (QUERY, {"query": [1]}, 400, "Wrong input: Vector dimension error: expected dim: 2, got 1"),
    (QUERY, {"query": [1, 2], "using": "b"}, 400, "Wrong input: Not existing vector name error: b"),
    (QUERY, {"query": 77}, 404, "Not found: No point with id 77 found"),
    (QUERY, {"query": [1, 2], "limit": 0}, 422, "[internal.limit: value 0 invalid, must be 1 or larger]"),
    (QUERY, {"prefetch": [{"limit": 0}], "query": [1, 2]}, 422, "[internal.prefetch[0].limit: value 0 invalid"),
    (QUERY, {"query": [1, 2], "params": {"hnsw_ef": 0}}, 422, "[internal.params.hnsw_ef: value 0 invalid"),
    (QUERY, {"query": {"order_by": "a"}}, 400, "Wrong input: No range index for `order_by` key: `a`"),
    ("POST points/scroll", {"limit": 0}, 422, "[scroll_request.limit: value 0 invalid, must be 1 or larger]"),
    ("POST facet", {"key": "a"}, 400, "Wrong input: No appropriate index for faceting: `a`"),
    ("PUT index", {"field_name": "a"}, 400, "Bad request: Can't auto-detect field type"),
    ("POST points/delete", {"points": []}, 400, "Bad request: Empty update request"),
    ("PUT points", {"points": []}, 400, "Bad request: Empty update request"),
    ("POST points/payload", {"payload": {"a": 1}, "points": []}, 400, "Bad request: Empty update request"),
    ("POST points/payload/clear", {"points": []}, 400, "Bad request: Empty update request"),
    ("PUT points/vectors", {"points": []}, 422, "[points: must specify points to update]"),
    ("POST points/vectors/delete", {"points": [1], "vector": []}, 422, "[vector: must specify vector names to delete]"),
    ("POST points/vectors/delete", {"vector": [""]}, 400, "Bad request: No filter or points provided"),
    ("DELETE snapshots/none.snapshot", None, 404, "Not found: "),
]


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: f"{case[0]}-{case[2]}")
def test_refusals_have_qdrants_status_and_words(http: httpx.Client, name: str, case: tuple[str, Any, int, str]) -> None:
    place, body, status, text = case
    method, _, path = place.partition(" ")
    answer = http.request(method, f"/collections/{name}/{path}".rstrip("/"), json=body)
    assert answer.status_code == status, answer.text
    content = answer.json()
    assert text.format(name=name) in content["status"]["error"]
    assert set(content) == {"status", "time"}


# What Qdrant finds out when it carries a write out, and tells only who waits for that.
LATE: list[tuple[str, Any]] = [
    ("PUT points", {"points": [{"id": 1, "vector": {"b": [1, 2]}}]}),
    ("POST points/payload", {"payload": {"a": 1}, "points": [77]}),
    ("PUT points/vectors", {"points": [{"id": 1, "vector": [1]}]}),
    ("POST points/vectors/delete", {"points": [1], "vector": ["b"]}),
]


@pytest.mark.parametrize("case", LATE, ids=lambda case: case[0])
def test_who_does_not_wait_is_told_of_no_late_mistake(http: httpx.Client, name: str, case: tuple[str, Any]) -> None:
    (method, _, path), body = case[0].partition(" "), case[1]
    answer = http.request(method, f"/collections/{name}/{path}", json=body)
    assert (answer.status_code, answer.json()["result"]["status"]) == (200, "acknowledged")
    assert http.request(method, f"/collections/{name}/{path}?wait=true", json=body).status_code in (400, 404)
    assert http.post(f"/collections/{name}/points/count", json={}).json()["result"]["count"] == 2


def test_a_missing_snapshot_is_a_plain_404(http: httpx.Client, name: str) -> None:
    answer = http.get(f"/collections/{name}/snapshots/none.snapshot")
    assert (answer.status_code, answer.text.startswith("Not found: ")) == (404, True)
    assert answer.headers["content-type"].startswith("text/plain")


def test_a_missing_collection_is_named(server: Server, client: QdrantClient) -> None:
    with pytest.raises((UnexpectedResponse, grpc.RpcError)) as caught:
        client.count("absent")
    assert "Not found: Collection `absent` doesn't exist!" in str(caught.value).replace("\\'", "'")
    if isinstance(caught.value, grpc.Call):
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_an_encoded_slash_is_a_part_of_the_name(server: Server) -> None:
    with server.http() as http:
        answer = http.put("/collections/a%2Fb", json={"vectors": {"size": 2, "distance": "Dot"}})
    assert (
        answer.status_code,
        'collection_name: collection name cannot contain "/"' in answer.text.replace("\\", ""),
    ) == (
        422,
        True,
    )


@pytest.mark.parametrize("bad", ["a|b", "a:b", "x" * 256, "a*"])
def test_names_that_no_folder_can_have_are_refused(client: QdrantClient, bad: str) -> None:
    with pytest.raises((UnexpectedResponse, grpc.RpcError), match="Validation error"):
        client.create_collection(bad, vectors_config=VECTORS)


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"vectors": {"size": 0, "distance": "Dot"}}, 400, "Format error in JSON body"),
        ({"vectors": {"size": 65537, "distance": "Dot"}}, 422, "value 65537 invalid, must be from 1 to 65536"),
        ({"shard_number": 0}, 422, "shard_number: value 0 invalid"),
        ({"shard_number": -1}, 400, "Format error in JSON body"),
        ({"replication_factor": 0}, 422, "replication_factor: value 0 invalid"),
    ],
)
def test_a_collection_with_impossible_numbers_is_refused(server: Server, body: Any, status: int, text: str) -> None:
    with server.http() as http:
        answer = http.put("/collections/impossible", json=body)
        assert (answer.status_code, text in answer.text) == (status, True)
        assert http.put("/collections/impossible?timeout=0", json=body).status_code == 422
        assert http.get("/collections/impossible/exists").json()["result"] == {"exists": False}


def test_bodies_that_are_no_json_or_too_large_are_refused(http: httpx.Client, name: str) -> None:
    path = f"/collections/{name}/points"
    assert http.put(path, content="{bad").status_code == 400
    answer = http.put(path, content=b" " * (33 * 1024 * 1024))
    assert (answer.status_code, "larger than allowed" in answer.text) == (400, True)
