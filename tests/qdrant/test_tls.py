"""The stand-in over TLS, with the official server's variables: both ports, and nothing else than TLS."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import grpc
import httpx
import pytest
from qdrant_client.grpc import CollectionsStub, ListCollectionsRequest

from tests.certificates import Tls, old
from tests.qdrant.server import KEY, Server


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files: a certificate for this host, its key, and the authority that it is of."""
    maker, folder = Tls(), tmp_path_factory.mktemp("tls")
    maker.now = datetime.now(UTC)
    texts = maker.server()
    for name, text in texts.items():
        (folder / name).write_text(text)
    return {name: folder / name for name in texts}


@pytest.fixture(scope="module")
def server(pair: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("qdrant"), **variables(pair))
    made.ca = pair["ca.crt"]
    made.start()
    yield made
    made.stop()


def variables(pair: dict[str, Path]) -> dict[str, str]:
    return {
        "QDRANT__SERVICE__API_KEY": KEY,
        "QDRANT__SERVICE__ENABLE_TLS": "true",
        "QDRANT__TLS__CERT": str(pair["tls.crt"]),
        "QDRANT__TLS__KEY": str(pair["tls.key"]),
    }


def test_rest_is_verified_and_never_plain(server: Server) -> None:
    with server.http() as http:
        assert http.get("/collections").status_code == 200
    with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
        httpx.get(f"{server.url}/readyz")
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{server.url}/readyz".replace("https:", "http:"))


def test_grpc_is_verified_and_never_plain(server: Server, pair: dict[str, Path]) -> None:
    address = f"localhost:{server.grpc_port}"

    def names(channel: grpc.Channel) -> list[str]:
        with channel:
            stub = CollectionsStub(channel)  # type: ignore[no-untyped-call]
            answer = stub.List(ListCollectionsRequest(), metadata=[("api-key", KEY)], timeout=5)
            return [each.name for each in answer.collections]

    trusting = grpc.ssl_channel_credentials(pair["ca.crt"].read_bytes())
    assert names(grpc.secure_channel(address, trusting)) == []
    for channel in (
        grpc.insecure_channel(address),
        grpc.secure_channel(address, grpc.ssl_channel_credentials(Tls().authority()["caCertPem"].encode())),
    ):
        with pytest.raises(grpc.RpcError) as refused:
            names(channel)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


def test_old_tls_is_refused(server: Server, pair: dict[str, Path]) -> None:
    with pytest.raises(httpx.ConnectError, match=r"alert protocol version|EOF"):  # said by the server's end
        httpx.get(f"{server.url}/readyz", verify=old(pair["ca.crt"].read_text()))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"QDRANT__TLS__KEY": "/nowhere"}, "QDRANT__TLS__KEY is `/nowhere`"),
        ({"QDRANT__TLS__KEY": __file__}, "are no certificate and its key"),
    ],
)
def test_what_is_no_certificate_is_said_at_start(
    change: dict[str, str], reason: str, pair: dict[str, Path], tmp_path: Path
) -> None:
    environment = {**os.environ, **variables(pair), "QDRANT__STORAGE__STORAGE_PATH": str(tmp_path), **change}
    ended = subprocess.run(
        [sys.executable, "-m", "images.qdrant.server"], env=environment, capture_output=True, text=True, timeout=30
    )
    assert ended.returncode == 1
    assert reason in ended.stderr
    assert "Traceback" not in ended.stderr
