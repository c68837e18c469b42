"""A snapshot holds a collection as it was, and brings it back."""

import hashlib
import shutil
import tarfile
import threading
from pathlib import Path
from typing import Any

import pytest
from qdrant_client import QdrantClient, models

from tests.qdrant.server import KEY, Server

VECTORS = models.VectorParams(size=2, distance=models.Distance.DOT)


def fill(client: QdrantClient, name: str, start: int, end: int) -> None:
    ids = range(start, end)
    client.upsert(name, [models.PointStruct(id=i, vector=[i, 1], payload={"n": i}) for i in ids])


def recover(server: Server, name: str, location: str, **more: Any) -> tuple[int, Any]:
    with server.http() as http:
        answer = http.put(f"/collections/{name}/snapshots/recover", json={"location": location, **more})
    return answer.status_code, answer.json()


def test_a_snapshot_brings_back_what_was_there(server: Server, client: QdrantClient, name: str) -> None:
    client.create_collection(name, vectors_config=VECTORS)
    client.create_payload_index(name, "n", models.PayloadSchemaType.INTEGER)
    fill(client, name, 0, 100)
    made = client.create_snapshot(name)
    assert made is not None
    fill(client, name, 100, 200)
    client.delete(name, list(range(50)))
    assert [each.name for each in client.list_snapshots(name)] == [made.name]
    path = server.folder / "snapshots" / name / made.name
    status, body = recover(server, name, path.as_uri(), checksum=made.checksum)
    assert (status, body["result"]) == (200, True)
    assert client.count(name).count == 100
    assert [record.id for record in client.scroll(name, limit=200)[0]] == list(range(100))
    assert client.get_collection(name).payload_schema["n"].points == 100
    client.delete_snapshot(name, made.name)
    assert client.list_snapshots(name) == []


def test_a_download_restores_a_deleted_collection_from_another_server(
    server: Server, own_server: Server, name: str
) -> None:
    client = own_server.client()
    client.create_collection(name, vectors_config=VECTORS)
    fill(client, name, 0, 30)
    made = client.create_snapshot(name)
    assert made is not None
    location = f"{own_server.url}/collections/{name}/snapshots/{made.name}"
    with own_server.http() as http:
        content = http.get(location).content
    assert hashlib.sha256(content).hexdigest() == made.checksum
    assert len(content) == made.size
    key = {"api_key": KEY}
    assert recover(server, name, location)[0] == 400  # without the other server's key
    assert recover(server, name, location, checksum="0" * 64, **key)[0] == 400
    assert not server.client().collection_exists(name)
    assert recover(server, name, location, **key)[0] == 200
    assert server.client().count(name).count == 30


def test_writes_while_a_snapshot_is_made_are_wholly_in_it_or_not(own_server: Server, name: str) -> None:
    client = own_server.client()
    client.create_collection(name, vectors_config=VECTORS)
    stop, failures = threading.Event(), []

    def write() -> None:
        batch = 0
        try:
            while not stop.is_set():
                fill(client, name, batch * 50, batch * 50 + 50)
                batch += 1
        except Exception as error:  # noqa: BLE001 - reported by the main thread
            failures.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    made = [client.create_snapshot(name) for _ in range(5)]
    stop.set()
    writer.join()
    assert not failures
    for snapshot in made:
        assert snapshot is not None
        location = (own_server.folder / "snapshots" / name / snapshot.name).as_uri()
        assert recover(own_server, name, location)[0] == 200
        assert client.count(name).count % 50 == 0


@pytest.mark.parametrize("content", [b"", b"no archive", b"\0" * 10240])
def test_a_broken_snapshot_leaves_the_collection_alone(
    server: Server, client: QdrantClient, name: str, content: bytes
) -> None:
    client.create_collection(name, vectors_config=VECTORS)
    fill(client, name, 0, 10)
    broken = server.folder / "snapshots" / "broken.snapshot"
    broken.write_bytes(content)
    assert recover(server, name, broken.as_uri())[0] == 500
    assert client.count(name).count == 10


def test_an_archive_that_reaches_outside_of_its_folder_is_refused(server: Server, name: str) -> None:
    archive = server.folder / "snapshots" / "outside.snapshot"
    with tarfile.open(archive, "w") as tar:
        tar.add("/etc/hostname", arcname="../../outside")
    status, body = recover(server, name, archive.as_uri())
    assert (status, "Service internal error: " in body["status"]["error"]) == (500, True)
    assert not (server.folder / "storage" / "outside").exists()


def test_nothing_outside_of_the_snapshots_folder_is_read(server: Server, name: str, tmp_path: Path) -> None:
    shutil.copy("/etc/hostname", tmp_path / "x.snapshot")
    for location in ((tmp_path / "x.snapshot").as_uri(), "file:///etc/passwd"):
        status, body = recover(server, name, location)
        assert status == 403
        assert body["status"]["error"].startswith("Forbidden: Snapshot file path must be inside")
    for location in ("ftp://127.0.0.1/x", "file:///no/such/file", "file://elsewhere.snapshot"):
        status, body = recover(server, name, location)
        assert (status, body["status"]["error"].startswith("Bad request: ")) == (400, True)
    with server.http() as http:
        http.put(f"/collections/{name}", json={"vectors": {"size": 2, "distance": "Dot"}})
        assert http.get(f"/collections/{name}/snapshots/..%2F..%2Fstorage%2Faliases.json").status_code == 404
