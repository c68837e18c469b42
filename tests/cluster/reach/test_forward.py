"""A port of this machine that leads to the pods of a Service."""

import json
import secrets
import socket
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest

from components.slices import forward
from components.slices.errors import SliceError
from components.slices.forward import Target, forwarded, trouble
from tests.cluster.access import Access
from tests.cluster.conformance import manifests as m
from tests.cluster.kubectl import Kubectl, eventually

MIB = 1024 * 1024
SECONDS = 20  # for an answer
ECHO = 7000  # of the Service; its pods listen elsewhere
CLOSED = 9


@pytest.fixture(scope="module")
def objects(access: Access, kubectl: Kubectl) -> None:
    """`echo` sends back what it gets, and is ready unless a test says otherwise; `web` is agnhost's HTTP server."""
    health = {"exec": {"command": ["test", "!", "-f", "/tmp/sick"]}, "periodSeconds": 1, "failureThreshold": 1}
    command = ["nc", "-ll", "-p", "8080", "-e", "cat"]
    ports = [{"name": "http", "containerPort": 8080}]
    main = m.container(access.image, command=command, ports=ports, readinessProbe=health)
    service = m.service("echo", ECHO)
    service["spec"]["ports"].append({"name": "closed", "port": CLOSED, "targetPort": CLOSED})
    kubectl.apply(
        service,
        m.workload("StatefulSet", "echo", 1, m.pod_spec(main), serviceName="echo"),
        m.service("web", 80),
        m.workload("StatefulSet", "web", 1, m.pod_spec(m.server(access.image)), serviceName="web"),
    )
    kubectl.ready("echo-0", "web-0")


@pytest.fixture
def echo(objects: None, kubectl: Kubectl) -> Target:
    target = Target(None, kubectl.namespace, "echo", ECHO)
    eventually(lambda: None if echoed(target, b"ready") == b"ready" else trouble(target) or "no echo")
    return target


def connected(target: Target) -> socket.socket:
    return socket.create_connection(forwarded(target), timeout=SECONDS)


def echoed(target: Target, data: bytes) -> bytes:
    """What comes back of `data`; less of it where the connection was closed."""
    with connected(target) as client, suppress(ConnectionError):
        threading.Thread(target=_sent, args=(client, data), daemon=True).start()
        return _received(client, len(data))
    return b""


def _sent(client: socket.socket, data: bytes) -> None:
    with suppress(OSError):
        client.sendall(data)


def _received(client: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size and (more := client.recv(MIB)):
        found += more
    return bytes(found)


def test_what_goes_in_comes_out_whole_on_many_connections_at_once(echo: Target) -> None:
    sent = [secrets.token_bytes(2 * MIB + number) for number in range(20)]
    with ThreadPoolExecutor(len(sent)) as pool:
        assert list(pool.map(lambda data: echoed(echo, data), sent)) == sent


def test_a_port_of_the_service_leads_to_that_of_the_pod(objects: None, kubectl: Kubectl) -> None:
    host, port = forwarded(Target(None, kubectl.namespace, "web", 80))
    with urllib.request.urlopen(f"http://{host}:{port}/hostname", timeout=SECONDS) as answer:
        assert answer.read() == b"web-0"


def test_who_has_said_all_still_gets_the_answer(objects: None, kubectl: Kubectl) -> None:
    with connected(Target(None, kubectl.namespace, "web", 80)) as client:
        client.sendall(b"GET /hostname HTTP/1.0\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        with client.makefile("rb") as answer:
            assert answer.read().endswith(b"web-0")


def test_a_new_connection_reaches_the_pod_that_came_after_one_that_died(echo: Target, kubectl: Kubectl) -> None:
    before = kubectl.get("pod", "echo-0")["metadata"]["uid"]
    with connected(echo) as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        kubectl("delete", "pod", "echo-0", "--grace-period=0", "--force", "--wait=false")
        with suppress(ConnectionError):
            assert client.recv(1) == b"", "it is still open"

    def problem() -> str | None:
        if echoed(echo, b"again") != b"again":
            return trouble(echo) or "no echo"
        return "the old pod answers" if kubectl.get("pod", "echo-0")["metadata"]["uid"] == before else None

    eventually(problem, 60)


def test_while_no_pod_is_ready_connections_end_at_once_and_say_why(echo: Target, kubectl: Kubectl) -> None:
    kubectl.sh("echo-0", "touch /tmp/sick")
    try:
        eventually(lambda: "it still echoes" if echoed(echo, b"x") else None)
        assert "no pod of the Service echo is ready" in str(trouble(echo))
        assert kubectl.namespace in str(trouble(echo))
    finally:
        kubectl.sh("echo-0", "rm /tmp/sick")
    eventually(lambda: None if echoed(echo, b"x") == b"x" else trouble(echo) or "no echo")
    assert trouble(echo) is None


def test_a_port_at_which_the_pod_does_not_listen_is_said(echo: Target, kubectl: Kubectl) -> None:
    closed = Target(None, kubectl.namespace, "echo", CLOSED)
    assert echoed(closed, b"x") == b""
    assert "refused" in str(trouble(closed))
    assert trouble(echo) is None, "it is said of another port"


def test_a_service_or_a_port_that_is_not_there_is_said_at_once(echo: Target, kubectl: Kubectl) -> None:
    with pytest.raises(SliceError, match=f"no Service gone in the namespace {kubectl.namespace}: run `strata up`"):
        forwarded(Target(None, kubectl.namespace, "gone", ECHO))
    with pytest.raises(SliceError, match="has no port 1 but 7000, 9"):
        forwarded(Target(None, kubectl.namespace, "echo", 1))


def test_the_preferred_port_is_taken_where_it_is_free(echo: Target) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        assert forwarded(echo, preferred=port)[1] not in (0, port)
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        free = probe.getsockname()[1]
    assert forwarded(echo, preferred=free) == ("127.0.0.1", free)


def test_all_threads_share_one_way_and_closing_leaves_nothing(echo: Target) -> None:
    with ThreadPoolExecutor(8) as pool:
        (address,) = set(pool.map(lambda _: forwarded(echo), range(8)))
    with connected(echo) as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        forward.close()
        with suppress(ConnectionError):
            assert client.recv(1) == b""
    assert "forwards" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=SECONDS)
    assert echoed(echo, b"anew") == b"anew"


def test_a_login_without_the_right_to_forward_is_told_so(
    echo: Target, kubectl: Kubectl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it looks as if the backend did not answer."""
    rules = [
        {"apiGroups": [""], "resources": ["services"], "verbs": ["get"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list"]},
    ]
    rbac, name = "rbac.authorization.k8s.io", {"metadata": {"name": "looker"}}
    kubectl.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", **name},
        {"apiVersion": f"{rbac}/v1", "kind": "Role", **name, "rules": rules},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            **name,
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "looker"},
            "subjects": [{"kind": "ServiceAccount", "name": "looker", "namespace": kubectl.namespace}],
        },
    )
    config = json.loads(kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    config["users"][0]["user"] = {"token": kubectl("create", "token", "looker").strip()}
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(config))
    monkeypatch.setenv("KUBECONFIG", str(path))

    assert echoed(echo, b"x") == b""
    assert "pods/portforward" in str(trouble(echo))
    assert "(403). Ask for that right" in str(trouble(echo))
