"""One server for all tests that do not stop it, and clients for both protocols."""

import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest
from qdrant_client import QdrantClient

from tests.qdrant.server import KEY, READ_ONLY_KEY, Server

_NUMBERS = count()

KEYS = {
    "QDRANT__SERVICE__API_KEY": KEY,
    "QDRANT__SERVICE__READ_ONLY_API_KEY": READ_ONLY_KEY,
    "QDRANT__SERVICE__JWT_RBAC": "true",
}


@pytest.fixture(autouse=True)
def _plain_http() -> Iterator[None]:
    """The client warns of a key without TLS; these servers listen on the loopback only."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Api key is used with an insecure connection")
        yield


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("qdrant"), **KEYS)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server that a test may stop, kill and start again."""
    server = Server(tmp_path, **KEYS)
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["rest", "grpc"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def client(server: Server, protocol: str) -> QdrantClient:
    return server.client(grpc=protocol == "grpc")


@pytest.fixture
def name(server: Server) -> Iterator[str]:
    """A name that no collection has; what a test makes under it is removed."""
    name = f"collection-{next(_NUMBERS)}"
    yield name
    with server.http() as http:
        http.delete(f"/collections/{name}")


@pytest.fixture
def http(server: Server, name: str) -> Iterator[httpx.Client]:
    """Over a collection with two points."""
    with server.http() as http:
        http.put(f"/collections/{name}", json={"vectors": {"size": 2, "distance": "Dot"}}).raise_for_status()
        points = [{"id": 1, "vector": [1, 0], "payload": {"a": 1, "none": None}}, {"id": 2, "vector": [0, 1]}]
        http.put(f"/collections/{name}/points?wait=true", json={"points": points}).raise_for_status()
        yield http
