"""Status codes, error texts and JSON shapes, as Qdrant's own sources have them."""

import time
import uuid
from typing import Any

import grpc
import httpx
import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from images.qdrant.server import VERSION
from tests.qdrant.server import Server

VECTORS = models.VectorParams(size=2, distance=models.Distance.DOT)


def test_the_envelope_of_success(http: httpx.Client, name: str) -> None:
    content = http.post(f"/collections/{name}/points/scroll", json={"with_vector": True}).json()
    assert content["status"] == "ok"
    assert 0 < content["time"] < 10
    assert content["result"] == {
        "points": [
            {"id": 1, "payload": {"a": 1, "none": None}, "vector": [1.0, 0.0]},
            {"id": 2, "payload": {}, "vector": [0.0, 1.0]},
        ],
        "next_page_offset": None,
    }


@pytest.mark.parametrize("asked", [True, [""]])
def test_vectors_may_be_asked_for_by_either_name(http: httpx.Client, name: str, asked: Any) -> None:
    found = [
        http.post(f"/collections/{name}/points/query", json={"query": [1, 0], word: asked}).json()["result"]
        for word in ("with_vector", "with_vectors")
    ]
    assert found[0] == found[1]
    assert "vector" in found[0]["points"][0]


def test_numbers_and_slices_are_those_of_the_real_server(http: httpx.Client, name: str) -> None:
    http.put(f"/collections/{name}/points?wait=true", json={"points": [{"id": 5, "vector": [0.1, 0.7]}]})
    assert http.get(f"/collections/{name}/points/5").json()["result"]["vector"] == [0.1, 0.7]
    found = http.post(f"/collections/{name}/points/query", json={"query": [1, 0], "filter": {"must": {"has_id": [5]}}})
    assert found.json()["result"]["points"][0]["score"] == 0.1
    condition = {"must": [{"key": "a"}]}
    assert http.post(f"/collections/{name}/points/count", json={"filter": condition}).status_code == 422
    slices = [{"must": [{"slice": {"total": 2, "index": index}}]} for index in (0, 1)]
    counts = [http.post(f"/collections/{name}/points/count", json={"filter": each}).json() for each in slices]
    assert sum(each["result"]["count"] for each in counts) == 3


def test_only_a_write_that_was_waited_for_is_called_completed(http: httpx.Client, name: str) -> None:
    points = {"points": [{"id": 3, "vector": [1, 1]}]}
    results = [
        http.put(f"/collections/{name}/points{query}", json=points).json()["result"] for query in ("", "?wait=true")
    ]
    assert [result["status"] for result in results] == ["acknowledged", "completed"]
    assert results[1]["operation_id"] == results[0]["operation_id"] + 1


# Of the stand-in alone.
def test_the_server_says_that_it_is_a_stand_in(server: Server) -> None:
    with server.http(None) as http:
        root = http.get("/").json()
    assert root == {"title": "strata stand-in for qdrant - vector search engine", "version": VERSION}
    assert VERSION.endswith("-strata-edge")
    assert server.client(grpc=True).info().version == VERSION
    assert "stand-in for Qdrant" in server.log


def test_metrics_count_points_and_answers(http: httpx.Client, name: str) -> None:
    version = http.get("/").json()["version"]
    text = http.get("/metrics").text
    assert f'app_info{{name="qdrant",version="{version}"}} 1' in text
    assert f'collection_points{{id="{name}"}} 2' in text
    assert 'rest_responses_total{method="PUT",endpoint="/collections/{collection_name}/points",status="200"}' in text


def test_changes_of_points_reach_what_they_name(client: QdrantClient, name: str) -> None:
    client.create_collection(name, vectors_config={"a": VECTORS, "b": VECTORS})
    ids: list[int | str] = [1, 2**63, str(uuid.UUID(int=7))]
    points = [models.PointStruct(id=i, vector={"a": [1, 2], "b": [3, 4]}, payload={"k": 1, "l": {"m": 1}}) for i in ids]
    client.upsert(name, points)
    client.set_payload(name, {"m": 2}, [1], key="l")
    client.overwrite_payload(name, {"only": True}, models.Filter(must=[models.HasIdCondition(has_id=[2**63])]))
    client.delete_payload(name, ["k"], [ids[2]])
    client.delete_vectors(name, ["b"], [1])
    client.update_vectors(name, [models.PointVectors(id=2**63, vector={"b": [9, 9]})])
    found = {each.id: each for each in client.retrieve(name, ids, with_vectors=True)}
    assert set(found) == set(ids)
    assert [found[i].payload for i in ids] == [{"k": 1, "l": {"m": 2}}, {"only": True}, {"l": {"m": 1}}]
    assert [found[i].vector for i in ids] == [{"a": [1, 2]}, {"a": [1, 2], "b": [9, 9]}, {"a": [1, 2], "b": [3, 4]}]
    client.clear_payload(name, [1])
    client.delete(name, models.Filter(must=[models.HasIdCondition(has_id=[ids[2]])]))
    assert [(each.id, each.payload) for each in client.scroll(name)[0]] == [(1, {}), (2**63, {"only": True})]


def test_points_come_without_the_payload_that_nobody_asked_for(client: QdrantClient, name: str) -> None:
    client.create_collection(name, vectors_config=VECTORS)
    client.upsert(name, [models.PointStruct(id=1, vector=[1, 0], payload={"a": 1})])
    found: list[Any] = [
        client.retrieve(name, [1], with_payload=False)[0],
        client.scroll(name, with_payload=False)[0][0],
        client.query_points(name, query=[1.0, 0.0], with_payload=False).points[0],
    ]
    assert [point.id for point in found] == [1, 1, 1]
    assert not any(point.payload for point in found)


def test_a_batch_of_changes_is_applied_in_order(client: QdrantClient, name: str) -> None:
    client.create_collection(name, vectors_config=VECTORS)
    point = models.PointStruct(id=1, vector=[1, 2], payload={"a": 1})
    results = client.batch_update_points(
        name,
        [
            models.UpsertOperation(upsert=models.PointsList(points=[point])),
            models.SetPayloadOperation(set_payload=models.SetPayload(payload={"b": 2}, points=[1])),
            models.DeletePayloadOperation(delete_payload=models.DeletePayload(keys=["a"], points=[1])),
        ],
    )
    assert [result.status for result in results] == [models.UpdateStatus.COMPLETED] * 3
    assert client.retrieve(name, [1])[0].payload == {"b": 2}


def test_an_upsert_may_insert_only_or_depend_on_a_filter(client: QdrantClient, name: str) -> None:
    client.create_collection(name, vectors_config=VECTORS)
    old = models.PointStruct(id=1, vector=[1, 2], payload={"version": 1})
    new = models.PointStruct(id=1, vector=[1, 2], payload={"version": 2})
    client.upsert(name, [old])
    client.upsert(name, [new], update_mode=models.UpdateMode.INSERT_ONLY)
    older = models.FieldCondition(key="version", match=models.MatchValue(value=7))
    client.upsert(name, [new], update_filter=models.Filter(must=[older]))
    assert client.retrieve(name, [1])[0].payload == {"version": 1}


def test_a_collection_shows_what_it_was_made_with(client: QdrantClient, name: str) -> None:
    client.create_collection(
        name,
        vectors_config={"text": models.VectorParams(size=3, distance=models.Distance.COSINE, on_disk=True)},
        sparse_vectors_config={"words": models.SparseVectorParams(modifier=models.Modifier.IDF)},
        hnsw_config=models.HnswConfigDiff(m=32),
        on_disk_payload=True,
    )
    client.create_payload_index(
        name, "kind", models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True)
    )
    client.create_payload_index(name, "when", models.PayloadSchemaType.DATETIME)
    client.create_payload_index(name, "gone", models.PayloadSchemaType.INTEGER)
    client.delete_payload_index(name, "gone")
    client.update_collection(
        name,
        hnsw_config=models.HnswConfigDiff(ef_construct=200),
        vectors_config={"text": models.VectorParamsDiff(on_disk=False)},
    )
    info = client.get_collection(name)
    vectors, sparse = info.config.params.vectors, info.config.params.sparse_vectors
    assert isinstance(vectors, dict)
    assert sparse is not None
    assert (vectors["text"].size, vectors["text"].distance, vectors["text"].on_disk) == (3, "Cosine", False)
    assert sparse["words"].modifier == models.Modifier.IDF
    assert (info.config.hnsw_config.m, info.config.hnsw_config.ef_construct) == (32, 200)
    assert {field: index.data_type.value for field, index in info.payload_schema.items()} == {
        "kind": "keyword",
        "when": "datetime",
    }
    params = info.payload_schema["kind"].params
    assert isinstance(params, models.KeywordIndexParams)
    assert params.is_tenant is True
    eventually_green(client, name)


def eventually_green(client: QdrantClient, name: str) -> None:
    """The real server is yellow while it applies changed settings."""
    end = time.monotonic() + 20
    while (status := client.get_collection(name).status) != models.CollectionStatus.GREEN:
        assert time.monotonic() < end, status
        time.sleep(0.05)


def test_an_alias_is_as_good_as_the_name(client: QdrantClient, name: str) -> None:
    client.create_collection(name, vectors_config=VECTORS)
    client.upsert(name, [models.PointStruct(id=1, vector=[1, 2])])
    alias = f"{name}-alias"
    made = models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name=name, alias_name=f"{name}-old"))
    renamed = models.RenameAliasOperation(
        rename_alias=models.RenameAlias(old_alias_name=f"{name}-old", new_alias_name=alias)
    )
    client.update_collection_aliases([made, renamed])
    assert client.count(alias).count == 1
    assert client.collection_exists(alias)
    assert [each.alias_name for each in client.get_collection_aliases(name).aliases] == [alias]
    client.delete_collection(alias)
    assert client.collection_exists(name), "an alias is enough to remove a collection"
    with pytest.raises((UnexpectedResponse, grpc.RpcError), match="Alias with the same name already exists"):
        client.create_collection(alias, vectors_config=VECTORS)
    client.update_collection_aliases([models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias))])
    assert not client.collection_exists(alias)
