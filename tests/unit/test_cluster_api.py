"""The kubeconfig and the API of a cluster, and what is said when one of them is not as it should be.

A small HTTP server stands for the API: a real one is asked in tests/cluster.
"""

import json
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from components.slices.cluster import Cluster, ClusterError, cluster
from components.slices.kubeconfig import configuration

PODS = "/api/v1/namespaces/x/pods"


class Api(BaseHTTPRequestHandler):
    """Answers what the test wants, and remembers what it was asked."""

    answers: tuple[int, str] = (200, "{}")
    asked: ClassVar[list[tuple[str, str, str | None, str]]] = []

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        type(self).asked.append((self.command, self.path, self.headers["authorization"], body))
        status, text = self.answers
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 - the standard library's names

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


Write = Callable[..., Path]


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes one with the contexts `a` (current) and `b`, and points KUBECONFIG to it."""

    def write(server: str = "http://127.0.0.1:1", name: str = "kubeconfig", **user: Any) -> Path:
        contexts = [{"name": each, "context": {"cluster": "c", "user": "u"}} for each in "ab"]
        clusters = [{"name": "c", "cluster": {"server": server}}]
        users = [{"name": "u", "user": user or {"token": "t0ken"}}]
        path = tmp_path / name
        path.write_text(
            json.dumps({"contexts": contexts, "clusters": clusters, "users": users, "current-context": "a"})
        )
        monkeypatch.setenv("KUBECONFIG", str(path))
        return path

    return write


@contextmanager
def serving(status: int = 200, text: str = "{}") -> Iterator[str]:
    """The address of an API that gives this answer."""
    Api.answers, Api.asked = (status, text), []
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def refused(act: Callable[[Cluster], object], context: str | None = None) -> str:
    with pytest.raises(ClusterError) as caught, cluster(context) as api:
        act(api)
    return str(caught.value)


def get(api: Cluster) -> object:
    return api.get(PODS)


def test_nothing_and_no_answer_are_not_the_same(kubeconfig: Write) -> None:
    with serving(404, '{"message": "pods x not found"}') as address:
        kubeconfig(address)
        with cluster(None) as api:
            assert api.get(PODS) is None
            assert api.items(PODS) == []
            api.delete(PODS)
        for change in (lambda api: api.patch(PODS, {}), lambda api: api.apply(PODS, {}, "m")):
            assert "not found (404)" in refused(change), "what was not changed looks as if it was"
    assert f"no answer from the Kubernetes API at {address}" in refused(get)


def test_a_refused_login_and_a_missing_right_are_told_apart(kubeconfig: Write) -> None:
    with serving(401, '{"message": "Unauthorized"}') as address:
        kubeconfig(address)
        assert "refuses your login (401): it has expired" in refused(get)
        assert Api.asked[0][2] == "Bearer t0ken"
    with serving(403, '{"message": "pods is forbidden: User \\"me\\" cannot list"}') as address:
        kubeconfig(address)
        text = refused(get)
        assert '"me" cannot list' in text
        assert "Ask for that right" in text


def test_what_is_no_kubernetes_is_said(kubeconfig: Write) -> None:
    with serving(200, "<html>") as address:
        kubeconfig(address)
        assert "is that a Kubernetes API?" in refused(get)


def test_changes_reach_the_api_as_they_are_meant(kubeconfig: Write) -> None:
    with serving() as address:
        kubeconfig(address)
        with cluster(None) as api:
            api.create(PODS, {"a": 1})
            api.apply(f"{PODS}/p", {"a": 2}, "strata")
            api.apply(f"{PODS}/p", {"a": 3}, "strata", force=True)
            api.delete(f"{PODS}/p", grace=0)
    assert [(method, path, body) for method, path, _, body in Api.asked] == [
        ("POST", PODS, '{"a": 1}'),
        ("PATCH", f"{PODS}/p?fieldManager=strata", '{"a": 2}'),
        ("PATCH", f"{PODS}/p?fieldManager=strata&force=true", '{"a": 3}'),
        ("DELETE", f"{PODS}/p?gracePeriodSeconds=0", ""),
    ]


def test_a_kubeconfig_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "gone"))
    assert f"there is no kubeconfig {tmp_path}/gone: set KUBECONFIG" in refused(get)
    monkeypatch.delenv("KUBECONFIG")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "there is no kubeconfig ~/.kube/config" in refused(get)


def test_a_wrong_context_is_answered_with_those_there_are(kubeconfig: Write) -> None:
    path = kubeconfig()
    assert f"{path} has no context `c` (strata:platform.context). It has: a, b" in refused(get, "c")


def test_a_file_without_a_current_context_needs_one_to_be_named(kubeconfig: Write) -> None:
    path = kubeconfig()
    path.write_text(path.read_text().replace('"current-context": "a"', '"current-context": ""'))
    assert "write the one to use to strata:platform.context" in refused(get)
    assert configuration("b").context_name == "b"


def test_a_context_without_its_cluster_is_said(kubeconfig: Write) -> None:
    path = kubeconfig()
    path.write_text(path.read_text().replace('"name": "c"', '"name": "d"'))
    assert "the context `a` names 'c', which is not there" in refused(get)


def test_a_broken_file_is_said_without_what_stands_in_it(kubeconfig: Write) -> None:
    path = kubeconfig()
    path.write_text("users:\n- user: {token: s3cret\n")
    text = refused(get)
    assert f"{path} is no kubeconfig: line" in text
    assert "s3cret" not in text


def test_several_files_are_one_as_for_kubectl(kubeconfig: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = kubeconfig(), kubeconfig("http://127.0.0.1:2", "other")
    other.write_text(other.read_text().replace('"name": "b"', '"name": "e"'))
    monkeypatch.setenv("KUBECONFIG", f"{one.parent}/gone:{one}:{other}")
    assert configuration(None).cluster.server == "http://127.0.0.1:1"
    assert configuration("e").cluster.server == "http://127.0.0.1:2"


def plugin(folder: Path, script: str, version: str) -> dict[str, Any]:
    """The login of a cloud's cluster: a program that is asked for a token."""
    program = folder / "plugin"
    program.write_text(f"#!{sys.executable}\nimport json, os, sys\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {"exec": {"apiVersion": f"client.authentication.k8s.io/{version}", "command": str(program), "args": []}}


@pytest.mark.parametrize("version", ["v1beta1", "v1"])
def test_a_plugin_logs_in(kubeconfig: Write, tmp_path: Path, version: str) -> None:
    script = (
        "asked = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        f"assert asked['apiVersion'].endswith('/{version}'), asked\n"
        "print(json.dumps({'status': {'token': 'from-plugin'}}))"
    )
    with serving() as address:
        kubeconfig(address, **plugin(tmp_path, script, version))
        with cluster(None) as api:
            assert api.get(PODS) == {}
        assert Api.asked[0][2] == "Bearer from-plugin"


def test_a_plugin_that_fails_is_quoted(kubeconfig: Write, tmp_path: Path) -> None:
    kubeconfig(**plugin(tmp_path, "sys.exit('the session has ended: run cloud login')", "v1"))
    text = refused(get)
    assert "login for http://127.0.0.1:1 failed" in text
    assert "the session has ended: run cloud login" in text


def test_a_plugin_that_is_not_installed_is_named(kubeconfig: Write) -> None:
    missing = {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "/nowhere/aws", "args": []}
    kubeconfig(exec=missing)
    assert "'/nowhere/aws'" in refused(get)
