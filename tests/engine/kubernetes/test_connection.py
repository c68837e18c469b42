"""What goes wrong on the way to a cluster is told apart, in seconds."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from engine.providers.base import ProviderError
from engine.providers.kubernetes import connection
from engine.providers.kubernetes.connection import Connection
from engine.providers.kubernetes.errors import ApiError, UnreachableError
from engine.providers.kubernetes.kubeconfig import Choice

Answer = tuple[int, Any]


class Api(ThreadingHTTPServer):
    """Answers with what `answers` gives, one after the other; the last one again and again."""

    def __init__(self) -> None:
        self.answers: list[Answer] = [(200, {"kind": "List"})]
        self.requests: list[dict[str, str]] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                api.requests.append(dict(self.headers))
                code, body = api.answers[0] if len(api.answers) == 1 else api.answers.pop(0)
                content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                """Nothing."""

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    threading.Thread(target=api.serve_forever, args=(0.01,), daemon=True).start()
    yield api
    api.shutdown()
    api.server_close()


Connect = Callable[..., Connection]


@pytest.fixture
def connect(api: Api) -> Iterator[Connect]:
    opened: list[Connection] = []

    def connect(port: int = api.server_port, scheme: str = "http", **user: Any) -> Connection:
        cluster = {"server": f"{scheme}://127.0.0.1:{port}"}
        opened.append(Connection(Choice("dev", "me", cluster, user, "default", "config")))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


def status(code: int, reason: str, message: str) -> Answer:
    return code, {"kind": "Status", "reason": reason, "message": message, "code": code}


def test_nobody_at_the_address(connect: Connect) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UnreachableError, match=rf"https://127\.0\.0\.1:{port} \(context 'dev' of config\) can't be"):
        connect(port, "https").ask("GET", "/api/v1")


def test_somebody_who_says_nothing(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_CONNECT", 0.2)
    silent = socket.create_server(("127.0.0.1", 0))
    with silent, pytest.raises(UnreachableError, match="does not answer in time"):
        connect(silent.getsockname()[1], "https").ask("GET", "/api/v1")


def test_somebody_without_tls(connect: Connect, api: Api) -> None:
    with pytest.raises(UnreachableError, match="no TLS with"):
        connect(scheme="https").ask("GET", "/api/v1")


def test_somebody_else(connect: Connect, api: Api) -> None:
    api.answers = [(200, "<html>")]
    with pytest.raises(UnreachableError, match="is no Kubernetes API"):
        connect().ask("GET", "/api/v1")


def test_a_gateway_that_knows_nothing_of_it_is_not_the_api(connect: Connect, api: Api) -> None:
    """That it answers 404 does not mean that the object is gone."""
    api.answers = [(404, "<html>not here</html>")]
    with pytest.raises(ApiError, match="in no words of Kubernetes") as caught:
        connect().ask("GET", "/api/v1")
    assert not caught.value.is_missing


def test_credentials_that_have_expired(connect: Connect, api: Api) -> None:
    api.answers = [status(401, "Unauthorized", "Unauthorized")]
    with pytest.raises(ApiError, match=r"credentials of user 'me' of config \(401\).*expired.*log in again") as caught:
        connect(token="old-and-secret").ask("GET", "/api/v1")
    assert "old-and-secret" not in str(caught.value)


def test_what_is_not_allowed_is_said_in_the_apis_words(connect: Connect, api: Api) -> None:
    words = 'secrets is forbidden: User "me" cannot list resource "secrets" in the namespace "storage"'
    api.answers = [status(403, "Forbidden", words)]
    with pytest.raises(ApiError, match=r'cannot list resource "secrets".*a role with that verb'):
        connect().ask("GET", "/api/v1")


def test_a_cluster_that_is_away_for_a_moment_is_asked_again(connect: Connect, api: Api) -> None:
    busy = status(503, "ServiceUnavailable", "apiserver is shutting down")
    changing = status(500, "InternalError", "etcdserver: leader changed")
    api.answers = [busy, changing, (200, {"found": True})]
    assert connect().ask("GET", "/api/v1") == {"found": True}


def test_an_answer_that_stays_the_same_is_not_waited_for(connect: Connect, api: Api) -> None:
    api.answers = [status(500, "", "failed to create typed patch object: field not declared in schema")]
    with pytest.raises(ApiError, match="not declared"):
        connect().ask("GET", "/api/v1")
    assert len(api.requests) == 1


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_program_gives_credentials(connect: Connect, api: Api, tmp_path: Path, version: str) -> None:
    program = tmp_path / "login"
    token = '{"kind": "ExecCredential", "status": {"token": "given"}}'
    program.write_text(f"#!/bin/sh\necho '{token}'\n")
    program.chmod(0o700)
    plugin = {"apiVersion": f"client.authentication.k8s.io/{version}", "command": str(program)}
    connect(exec=plugin).ask("GET", "/api/v1")
    assert api.requests[-1]["Authorization"] == "Bearer given"


def test_a_program_for_credentials_that_is_missing_or_fails_is_named(connect: Connect, tmp_path: Path) -> None:
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "/nowhere/login"}
    with pytest.raises(ProviderError, match=r"no credentials for .*/nowhere/login"):
        connect(exec=plugin).ask("GET", "/api/v1")
    with pytest.raises(ProviderError, match=r"no credentials for .*returned 1"):
        connect(exec={**plugin, "command": "false"}).ask("GET", "/api/v1")


def test_a_certificate_that_is_none_is_named() -> None:
    user = {"client-certificate": "/nowhere.crt", "client-key": "/nowhere.key"}
    with pytest.raises(ProviderError, match=r"config, context 'dev': .*No such file"):
        Connection(Choice("dev", "me", {"server": "https://127.0.0.1:1"}, user, "default", "config"))


@pytest.mark.parametrize(
    ("server", "excepted", "proxied"),
    [
        ("https://10.1.2.3:6443", "10.0.0.0/8", False),
        ("https://192.0.2.1:6443", "10.0.0.0/8", True),
        ("https://api.example.org", ".example.org", False),
        ("https://api.example.org", "", True),
        ("https://127.0.0.1:6443", "", False),
    ],
)
def test_the_environments_proxy_is_used_as_kubectl_does(
    monkeypatch: pytest.MonkeyPatch, server: str, excepted: str, proxied: bool
) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", excepted)
    assert (connection._proxy(server) is not None) == proxied
