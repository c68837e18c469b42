"""Qdrant's start script, in a container as hardened as the component makes it."""

import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
import urllib3
from qdrant_client import models
from qdrant_client.http.exceptions import ApiException

from components import scripts
from components.secretfiles import read_secret
from components.slices.ready import ReadyProvider
from components.slices.secret_file import SecretFileProvider
from tests.slices.qdrant_inside import admin, refusal, session
from tests.slices.servers import QDRANT, STACK, Kind, Server, eventually

pytestmark = pytest.mark.docker
Fresh = Callable[[Kind], Server]
POINTS = 500


def identity(server: Server) -> str:
    result = ReadyProvider().create(server.ready_props(deadline=60.0))
    assert result.outs is not None
    return str(result.outs["identity"])


def write(server: Server) -> None:
    with admin(server) as client:
        client.create_collection("kept", models.VectorParams(size=4, distance=models.Distance.DOT))
        points = [models.PointStruct(id=n, vector=[1.0, 2.0, 3.0, float(n)], payload={"n": n}) for n in range(POINTS)]
        client.upsert("kept", points, wait=True)


def count(server: Server) -> int:
    with admin(server) as client:
        return client.count("kept").count


def healthy(server: Server) -> bool:
    return server.running.exec_run(scripts.HEALTHCHECKS["qdrant"][1:]).exit_code == 0


def ended(server: Server) -> int:
    """The exit code of a container that ends by itself."""
    return int(server.running.wait(timeout=30)["StatusCode"])


def test_a_kept_volume_accepts_the_new_key_only(fresh: Fresh) -> None:
    server = fresh(QDRANT).start()
    before, old, old_admin = identity(server), server.root, read_secret(STACK, server.secret)
    write(server)
    server.stop()

    server.start()
    assert identity(server) == before, "the volume was not taken over"
    assert count(server) == POINTS
    for key in (old, old_admin):
        with session(server, key) as client:
            assert refusal(client.get_collections) in (401, 403)


def test_the_key_is_in_nothing_that_the_daemon_shows(fresh: Fresh) -> None:
    server = fresh(QDRANT).start().ready()
    write(server)
    server.running.reload()
    shown = {
        "inspect": json.dumps(server.running.attrs),
        "top": json.dumps(server.running.top(ps_args="-eo pid,args")),
        "logs": server.log(),
        "the environment of a command in it": server.run("env"),
        "a command line": server.run("sh", "-c", "cat /proc/[0-9]*/cmdline"),
        "the volume": server.run("sh", "-c", f"grep -rlF {server.root[:20]} /qdrant/storage || true"),
    }
    for secret in (server.root, read_secret(STACK, server.secret)):
        assert [where for where, text in shown.items() if secret in text] == []
    assert not shown["the volume"], "the key was written to the volume"


@pytest.mark.parametrize("key", ["missing", "empty"])
def test_without_a_key_it_refuses_to_start_instead_of_letting_everybody_in(fresh: Fresh, key: str) -> None:
    server = fresh(replace(QDRANT, files={})).start()
    if key == "empty":
        SecretFileProvider().create(server.secret_props(files={"api-key": "plain"}, content=""))
        server.running.restart()
    assert ended(server) == 1
    assert "/run/strata/secrets/api-key is missing, empty or unreadable: run strata up" in server.log()


def test_a_second_container_on_the_volume_is_refused(fresh: Fresh) -> None:
    server, twin = fresh(QDRANT).start().ready(), fresh(QDRANT)
    write(server)
    own, twin.data = twin.data, server.data
    try:
        twin.start()
        assert ended(twin) == 1
        assert "another container uses this volume: stop it first" in twin.log()
    finally:
        twin.data = own
    assert count(server) == POINTS


def test_it_stops_cleanly_and_at_once_and_keeps_everything(fresh: Fresh) -> None:
    server = fresh(QDRANT).start().ready()
    before = identity(server)
    write(server)
    began = time.monotonic()
    server.running.stop(timeout=30)
    assert time.monotonic() - began < 10
    server.running.reload()
    assert server.running.attrs["State"]["ExitCode"] in (0, 143)
    server.running.start()
    assert identity(server.look()) == before
    assert count(server) == POINTS


def test_it_can_be_stopped_while_it_starts(fresh: Fresh) -> None:
    server = fresh(QDRANT).start()

    def under_way() -> bool:
        """It loads its libraries, or, where that is done in no time, it answers."""
        return "grpc" in server.run("cat", "/proc/1/maps") or healthy(server)

    eventually(under_way, within=30)
    began = time.monotonic()
    server.running.stop(timeout=30)
    assert time.monotonic() - began < 10
    server.running.start()
    assert identity(server.look())


def test_what_was_acknowledged_survives_a_sigkill(fresh: Fresh) -> None:
    server = fresh(QDRANT).start().ready()
    before = identity(server)
    write(server)
    acknowledged: list[int] = []
    stop = threading.Event()

    def write_on() -> None:
        with admin(server) as client:
            while not stop.is_set():
                id_ = POINTS + len(acknowledged)
                try:
                    client.upsert("kept", [models.PointStruct(id=id_, vector=[0.0] * 4)], wait=True)
                except ApiException:
                    return  # the crash
                acknowledged.append(id_)

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        eventually(lambda: len(acknowledged) > 50, within=30)
        server.kill()
    finally:
        stop.set()
        writer.join(30)
    server.running.start()
    assert identity(server.look()) == before
    with admin(server) as client:
        found = {record.id for record in client.scroll("kept", limit=POINTS + len(acknowledged) + 10)[0]}
    lost = {*range(POINTS), *acknowledged} - found
    assert not lost, f"{len(lost)} of {POINTS + len(acknowledged)} acknowledged points were lost"


def test_the_health_check_asks_with_the_key_and_notices_a_server_that_lost_it(fresh: Fresh) -> None:
    server = fresh(QDRANT).start().ready()
    assert healthy(server)
    SecretFileProvider().create(server.secret_props(content=secrets.token_hex(16)))
    assert not healthy(server), "a refused key must not count as healthy"
    SecretFileProvider().create(server.secret_props())
    assert healthy(server)


def test_health_is_open_and_everything_else_needs_a_key(qdrant: Server) -> None:
    def status(path: str) -> int:
        return urllib3.request("GET", f"http://127.0.0.1:{qdrant.port}{path}", retries=False).status

    assert {path: status(path) for path in ("/healthz", "/livez", "/readyz")} == dict.fromkeys(
        ("/healthz", "/livez", "/readyz"), 200
    )
    closed = ("/collections", "/metrics", "/telemetry", "/snapshots", "/collections/strata_logins")
    assert {path: status(path) for path in closed} == dict.fromkeys(closed, 401)


def test_it_runs_as_nobody_special_and_is_pid_1(qdrant: Server) -> None:
    assert qdrant.run("sh", "-c", "id -u; id -g").split() == ["1000", "1000"]
    assert "strata" not in qdrant.run("cat", "/proc/1/cmdline"), "a shell stands between Docker's signals and Qdrant"
    limits = qdrant.run("cat", "/proc/1/limits").splitlines()
    soft, hard = next(line for line in limits if line.startswith("Max open files")).split()[3:5]
    assert soft == hard, "every segment of every collection is a handful of open files"
