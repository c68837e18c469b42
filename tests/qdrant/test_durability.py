"""What was acknowledged is there again, however the server ended."""

import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from tests.qdrant.server import Server

VECTORS = models.VectorParams(size=4, distance=models.Distance.DOT)


def fill(client: QdrantClient, name: str) -> None:
    client.create_collection(name, vectors_config=VECTORS, on_disk_payload=False, metadata={"owner": "tests"})
    client.create_payload_index(name, "kind", models.PayloadSchemaType.KEYWORD)
    for start in range(0, 500, 50):
        ids = range(start, start + 50)
        points = [models.PointStruct(id=i, vector=[i, 1, 0, 0], payload={"kind": f"k{i % 5}"}) for i in ids]
        client.upsert(name, points)
    client.delete(name, [0, 1])
    with pytest.raises(UnexpectedResponse, match="No point with id 9999 found"):
        client.set_payload(name, {"kind": "k4"}, [9999])  # in the log too, where it must not stop a recovery
    client.update_collection_aliases(
        [models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name=name, alias_name="latest"))]
    )


def check(client: QdrantClient, name: str) -> None:
    info = client.get_collection("latest")
    assert info.points_count == 498
    assert info.config.metadata == {"owner": "tests"}
    assert info.config.params.on_disk_payload is False
    assert info.payload_schema["kind"].data_type == models.PayloadSchemaType.KEYWORD
    kind = models.Filter(must=[models.FieldCondition(key="kind", match=models.MatchValue(value="k4"))])
    assert client.count(name, kind).count == 100
    assert client.query_points(name, query=[1.0, 0.0, 0.0, 0.0], limit=1).points[0].id == 499


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_points_indexes_and_aliases_survive(own_server: Server, end: str) -> None:
    client = own_server.client()
    fill(client, "kept")
    client.create_collection("removed", vectors_config=VECTORS)
    client.delete_collection("removed")
    getattr(own_server, end)()
    own_server.start()
    client = own_server.client()
    assert [each.name for each in client.get_collections().collections] == ["kept"]
    check(client, "kept")


def test_a_kill_among_writes_loses_none_that_was_acknowledged(own_server: Server) -> None:
    client = own_server.client()
    client.create_collection("busy", vectors_config=VECTORS)
    for round_ in range(2):
        for i in range(20):
            client.upsert("busy", [models.PointStruct(id=round_ * 20 + i, vector=[1, 2, 3, i], payload={"i": i})])
        own_server.kill()
        own_server.start()
        client = own_server.client()
        assert client.count("busy").count == (round_ + 1) * 20


# From here on, tests of the stand-in alone: of its words, its lock and its folder.


def test_a_regular_end_is_a_success(own_server: Server) -> None:
    assert own_server.stop() == 0
    assert "stand-in" in own_server.log


def test_a_second_server_leaves_a_folder_alone_that_is_in_use(own_server: Server) -> None:
    second = Server(own_server.folder)
    with pytest.raises(AssertionError, match="in use by another server"):
        second.start()
    with own_server.http() as http:
        assert http.get("/readyz").text == "all shards are ready"


def test_half_made_collections_are_swept(own_server: Server) -> None:
    fill(own_server.client(), "whole")
    own_server.stop()
    collections = own_server.folder / "storage" / "collections"
    (collections / "half" / "shard").mkdir(parents=True)
    (collections / "whole").rename(collections / ".removed-1")
    own_server.start()
    assert own_server.client().get_collections().collections == []
    assert list(collections.iterdir()) == []
