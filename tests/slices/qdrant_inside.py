"""What the tests of collections, logins and their roster do with a Qdrant."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from components.slices.qdrant import logins
from components.slices.qdrant.collection import CollectionProvider
from components.slices.qdrant.connection import LOGINS
from components.slices.qdrant.login import QdrantLoginProvider, grants
from components.slices.qdrant.roster import QdrantRosterProvider
from components.slices.resource import Props, SliceProvider
from tests.slices.servers import Server, qdrant_session

COLLECTION, LOGIN, ROSTER = CollectionProvider(), QdrantLoginProvider(), QdrantRosterProvider()
REFUSED = (401, 403)
VECTOR = {"": {"size": 2.0, "distance": "Dot", "on_disk": False, "multivector": False}}  # numbers as states have them


@contextmanager
def fresh_name(server: Server) -> Iterator[str]:
    """A name for the collections and logins of one test; whatever starts with it is removed."""
    made = f"t{secrets.token_hex(4)}"
    yield made
    with admin(server) as client:
        for found in client.get_collections().collections:
            if found.name.startswith(made):
                client.delete_collection(found.name)
        everybody, _ = client.scroll(LOGINS, limit=1000)
        doomed: list[Any] = [
            point.id for point in everybody if str((point.payload or {}).get("login")).startswith(made)
        ]
        if doomed:  # Qdrant refuses an update of nothing
            client.delete(LOGINS, doomed)


@contextmanager
def session(server: Server, key: str | None) -> Iterator[QdrantClient]:
    client = qdrant_session(server, key)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def admin(server: Server) -> Iterator[QdrantClient]:
    """With the API key, which no slice uses."""
    with session(server, server.root) as client:
        yield client


def made(provider: SliceProvider, props: Props) -> Props:
    outputs = provider.create(props).outs
    assert outputs is not None
    return outputs


def updated(provider: SliceProvider, olds: Props, news: Props) -> Props:
    outputs = provider.update("", olds, news).outs
    assert outputs is not None
    return outputs


def looked_at(provider: SliceProvider, outputs: Props) -> Props:
    """As a refresh finds it."""
    return provider.read("id", outputs).outs or {}


def collection(server: Server, name: str, **more: Any) -> Props:
    return server.props(**{"name": name, "vectors": VECTOR, "indexes": {}, "on_disk_payload": True, **more})


def login(server: Server, name: str, **more: Any) -> Props:
    return server.props(**{"name": name, "collections": [name], "access": "rw", **more})


def token(server: Server, outputs: Props) -> str:
    """What an application is given for a login that was made."""
    return logins.token(grants(outputs["collections"], outputs["access"]), outputs["token_id"], server.root)


def put(client: QdrantClient, name: str, id_: int = 1, **payload: Any) -> None:
    client.upsert(name, [models.PointStruct(id=id_, vector=[1.0, 0.0], payload=payload)], wait=True)


def schema(server: Server, name: str) -> dict[str, str]:
    """Field → type of what is indexed."""
    with admin(server) as client:
        found = client.get_collection(name).payload_schema or {}
    return {field: str(index.data_type.value) for field, index in found.items()}


def refusal(attempt: Callable[[], object]) -> int | None:
    """The status of the refusal, None for what was let through."""
    try:
        attempt()
    except UnexpectedResponse as error:
        return error.status_code
    return None


def works(server: Server, key: str, name: str) -> bool:
    """Whether the key still reads the collection. Any other failure than a refusal is one of the test."""
    with session(server, key) as client:
        status = refusal(lambda: client.count(name))
    assert status is None or status in REFUSED, status
    return status is None
