"""What goes wrong leaves nothing half there and one message that says what, where and what to do."""

import contextlib
import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer

import docker
import pytest

from engine.providers.base import Old, ProviderError
from engine.providers.docker import DockerProvider
from engine.providers.docker.daemon import Daemon
from engine.providers.docker.port_conflict import taken_port
from engine.values import UNKNOWN
from tests.engine.docker.conftest import CONTAINER, IMAGE, NETWORK, VOLUME, Workbench, call, free_port


def none_left(bench: Workbench) -> bool:
    return not bench.client.containers(all=True, filters={"name": bench.prefix})


@pytest.mark.docker
def test_a_port_of_another_container_is_told_with_its_name(bench: Workbench) -> None:
    port = free_port()
    ports = [{"internal": 80, "external": port, "ip": "127.0.0.1"}]
    bench.start(name=bench.name("holder"), ports=ports)
    with pytest.raises(ProviderError) as raised:
        bench.start(ports=ports)
    assert f'port {port} of 127.0.0.1 is taken by container "{bench.name("holder")}"' in str(raised.value)
    assert bench.client.containers(all=True, filters={"name": bench.name("c")}) == []


@pytest.mark.docker
def test_a_port_of_a_process_is_told_and_the_next_try_works(bench: Workbench) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        ports = [{"internal": 80, "external": port, "ip": "127.0.0.1"}]
        with pytest.raises(ProviderError, match=f"port {port} of 127.0.0.1 is taken by a process outside of Docker"):
            bench.start(ports=ports)
        assert none_left(bench)
    bench.start(ports=ports)


@pytest.mark.parametrize(
    "text",
    [
        "Bind for 127.0.0.1:5432 failed: port is already allocated",
        "Error starting userland proxy: listen tcp4 127.0.0.1:5432: bind: address already in use",
        "Error starting userland proxy: listen tcp6 [::]:5432: bind: address already in use",
        "failed to bind host port for 0.0.0.0:5432:172.17.0.2:80/tcp: address already in use",
        "failed to bind host port [::]:5432/tcp: address already in use",
    ],
)
def test_the_port_is_read_from_what_each_version_of_docker_says(text: str) -> None:
    assert taken_port(f"driver failed programming external connectivity on endpoint c (0123abcd): {text}") == 5432


@pytest.mark.docker
def test_a_command_that_does_not_exist_leaves_no_container(bench: Workbench) -> None:
    with pytest.raises(ProviderError, match=r'container ".*" cannot be created: .*/nowhere'):
        bench.start(command=["/nowhere"])
    assert none_left(bench)


@pytest.mark.docker
def test_a_network_that_does_not_exist_leaves_no_container(bench: Workbench) -> None:
    with pytest.raises(ProviderError, match="network absent not found"):
        bench.start(networksAdvanced=[{"name": "absent"}])
    assert none_left(bench)


@pytest.mark.docker
def test_a_container_that_ends_at_once_is_recorded_and_tried_again(bench: Workbench) -> None:
    made = bench.start(command=["/quit"])
    bench.client.wait(made.id, condition="not-running")
    found = bench.provider.read(call(CONTAINER), made)
    assert found is not None
    assert found.outputs["exitCode"] == 3
    assert bench.provider.diff(call(CONTAINER), found, made.inputs).paths == ("mustRun",)


@pytest.mark.docker
@pytest.mark.parametrize("image", ["localhost/strata-test-absent:1", "sha256:" + "0" * 64])
def test_a_local_image_that_is_absent_is_not_pulled(bench: Workbench, image: str) -> None:
    with pytest.raises(ProviderError, match=r"is not on the Docker host .*never pulled: build or load it"):
        bench.start(image=image)
    with pytest.raises(ProviderError, match="never pulled"):
        bench.create(IMAGE, {"name": image})
    assert none_left(bench)


@pytest.mark.docker
def test_values_of_the_environment_stay_out_of_the_message(bench: Workbench) -> None:
    with pytest.raises(ProviderError) as raised:
        bench.start(command=["/hunter2"], envs=["PASSWORD=hunter2"])
    assert "hunter2" not in str(raised.value)
    assert "[value of PASSWORD]" in str(raised.value)


@pytest.mark.docker
def test_a_volume_in_use_is_waited_for_and_then_its_user_is_named(bench: Workbench) -> None:
    volume = bench.create(VOLUME, {"name": bench.name("v")})
    user = bench.start(volumes=[{"volumeName": volume.id, "containerPath": "/v"}])
    with pytest.raises(ProviderError, match=f"{bench.name('c')} still uses it"):
        bench.provider.delete(call(VOLUME, timeout=0.3), volume)
    release = threading.Timer(0.5, lambda: bench.provider.delete(call(CONTAINER), user))
    release.start()
    bench.provider.delete(call(VOLUME), volume)
    release.join()
    assert bench.provider.read(call(VOLUME), volume) is None


@pytest.mark.docker
def test_a_network_in_use_names_who_is_connected(bench: Workbench) -> None:
    network = bench.create(NETWORK, {"name": bench.name("n")})
    bench.start(networksAdvanced=[{"name": network.id}])
    with pytest.raises(ProviderError, match=f"{bench.name('c')} is still connected"):
        bench.provider.delete(call(NETWORK, timeout=0.3), network)


@pytest.mark.docker
def test_an_image_in_use_is_told(bench: Workbench) -> None:
    name = bench.name("image")
    bench.client.tag(bench.image, name, "1")
    made = bench.create(IMAGE, {"name": f"{name}:1"})
    bench.start()
    bench.provider.delete(call(IMAGE), made)  # another name of it remains: only this one is taken away
    assert bench.provider.read(call(IMAGE), made) is None


@pytest.mark.docker
def test_an_update_of_a_container_that_is_gone_says_so(bench: Workbench) -> None:
    made = bench.start()
    bench.client.remove_container(made.id, force=True)
    with pytest.raises(ProviderError, match="is gone from Docker: run this again"):
        bench.provider.update(call(CONTAINER), made, {**made.inputs, "restart": "always"})


@pytest.mark.docker
def test_an_interval_that_the_daemon_does_not_know_is_refused(bench: Workbench) -> None:
    check = {"tests": ["CMD", "/quit"], "startInterval": "1s"}
    if docker.utils.version_lt(bench.client.api_version, "1.44"):
        with pytest.raises(ProviderError, match="startInterval needs Docker 25"):
            bench.start(healthcheck=check)
        assert none_left(bench)
    else:
        bench.start(healthcheck=check)


def provider(host: str | None) -> DockerProvider:
    made = DockerProvider()
    made.configure({"host": host})
    return made


VOLUME_STATE = Old("v", {"name": "v"}, {"name": "v"})


def reading(host: str | None) -> str:
    """The message of a read, which must not take "no answer" for "gone"."""
    with pytest.raises(ProviderError) as raised:
        provider(host).read(call(VOLUME), VOLUME_STATE)
    assert "Traceback" not in str(raised.value)
    return str(raised.value)


def test_no_daemon_says_how_to_start_it(tmp_path: Path) -> None:
    message = reading(f"unix://{tmp_path}/absent.sock")
    assert message.startswith('volume "v" cannot be read: no Docker daemon answers at unix://')
    assert "systemctl start docker" in message


def test_a_wrong_docker_host_is_named_with_where_it_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    assert "tcp://127.0.0.1:1 (from DOCKER_HOST)" in reading(None)
    monkeypatch.setenv("DOCKER_HOST", "tcp://no-such-host.invalid:2375")
    assert "no-such-host.invalid:2375 (from DOCKER_HOST) cannot be reached" in reading(None)
    monkeypatch.setenv("DOCKER_HOST", "nonsense://x")
    assert "nonsense://x" in reading(None)


def test_missing_certificates_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    assert "the way to the Docker daemon is not clear" in reading("tcp://127.0.0.1:1")


def test_the_current_context_of_the_docker_command_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    folder = tmp_path / "contexts" / "meta" / hashlib.sha256(b"elsewhere").hexdigest()
    folder.mkdir(parents=True)
    endpoints = {"docker": {"Host": f"unix://{tmp_path}/elsewhere.sock"}}
    (folder / "meta.json").write_text(json.dumps({"Name": "elsewhere", "Metadata": {}, "Endpoints": endpoints}))
    (tmp_path / "config.json").write_text(json.dumps({"currentContext": "elsewhere"}))
    assert f"unix://{tmp_path}/elsewhere.sock" in reading(None)


def test_a_socket_without_permission_says_which_group() -> None:
    """Asked directly: root, as which CI runs, may open every socket."""
    message = Daemon("unix:///closed.sock").explain(PermissionError(13, "Permission denied"))
    assert "may not talk to the Docker daemon at unix:///closed.sock" in message
    assert "usermod -aG docker" in message


class _FullDisk(BaseHTTPRequestHandler):
    """A daemon whose disk is full: it answers questions, and no create."""

    def do_GET(self) -> None:
        self._answer(200, {"ApiVersion": "1.41"}) if self.path == "/version" else self._answer(404, {"message": "none"})

    def do_POST(self) -> None:
        self._answer(500, {"message": "mkdir /var/lib/docker/volumes/v: no space left on device"})

    def _answer(self, status: int, body: dict[str, str]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


class _Broken(_FullDisk):
    """A daemon that cannot answer questions either."""

    def do_GET(self) -> None:
        self._answer(200, {"ApiVersion": "1.41"}) if self.path == "/version" else self._answer(
            500, {"message": "broken"}
        )


@contextlib.contextmanager
def daemon(path: Path, behaviour: type[_FullDisk]) -> Iterator[str]:
    with UnixStreamServer(str(path), behaviour) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"unix://{path}"
        finally:
            server.shutdown()
            thread.join()


def test_a_full_disk_is_told_with_what_shows_its_use(tmp_path: Path) -> None:
    with daemon(tmp_path / "full.sock", _FullDisk) as host:
        made = provider(host)
        with pytest.raises(ProviderError, match=r"the disk of the Docker daemon is full.*docker system df"):
            made.create(call(VOLUME), {"name": "v"})
        made.close()


@pytest.mark.parametrize("type", [CONTAINER, IMAGE, NETWORK, VOLUME])
def test_only_the_daemon_s_own_no_means_that_an_object_is_gone(tmp_path: Path, type: str) -> None:
    """Taken for gone, a volume would be made anew and its data forgotten."""
    with daemon(tmp_path / "broken.sock", _Broken) as host:
        made = provider(host)
        with pytest.raises(ProviderError, match="cannot be read: broken"):
            made.read(call(type), VOLUME_STATE)
        made.close()
    with daemon(tmp_path / "empty.sock", _FullDisk) as host:
        made = provider(host)
        assert made.read(call(type), VOLUME_STATE) is None
        made.close()


def test_a_host_that_is_not_known_yet_is_told() -> None:
    made = DockerProvider()
    made.configure({"host": UNKNOWN})
    with pytest.raises(ProviderError, match="host is not known yet"):
        made.read(call(VOLUME), VOLUME_STATE)
