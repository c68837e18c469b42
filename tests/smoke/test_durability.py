"""What was acknowledged survives a restart and a crash. Disruptive: only with --disruptive, never in production."""

import io
import json
import os
import signal
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker
import psycopg
import pytest
import redis
import urllib3
from docker.models.containers import Container
from minio.error import MinioException

from infra.contract import Backend, StackContract
from tests.smoke import clients

pytestmark = pytest.mark.disruptive

# From a stop to answering again: a clean shutdown of a loaded server, its start and its recovery.
DEADLINE = 90.0

# What a backend that is not back yet makes of a request.
TRANSIENT = (psycopg.Error, redis.RedisError, MinioException, urllib3.exceptions.HTTPError, AssertionError, OSError)


def restart(container: Container) -> None:
    container.restart(timeout=60)


def crash(container: Container) -> None:
    """SIGKILL to the process that the host knows as PID 1 of the container.

    `docker kill` would mark the container as stopped by hand, and its restart policy would not be tried.
    """
    pid = container.attrs["State"]["Pid"]
    groups = Path(f"/proc/{pid}/cgroup")
    if not groups.exists() or str(container.id) not in groups.read_text():
        pytest.skip(f"PID {pid} here is not {container.name}: its Docker daemon does not run on this host")
    os.kill(pid, signal.SIGKILL)


@pytest.fixture(params=[restart, crash], ids=["restart", "crash"])
def disturb(request: pytest.FixtureRequest) -> Callable[[Container], None]:
    chosen: Callable[[Container], None] = request.param
    return chosen


def disturbed(daemon: docker.DockerClient, backend: Backend | None, disturb: Callable[[Container], None]) -> None:
    """Disturbs the backend, and returns when another process than before runs as PID 1."""
    assert backend
    assert backend.runtime
    container = daemon.containers.get(backend.runtime.container)
    before = container.attrs["State"]["Pid"]
    disturb(container)

    def restarted() -> bool:
        container.reload()
        state = container.attrs["State"]
        assert state["Running"], json.dumps({key: state[key] for key in ("Status", "ExitCode", "Pid")})
        return bool(state["Pid"] not in (0, before))

    eventually(restarted, f"{container.name} runs again")


def eventually(check: Callable[[], Any], what: str) -> Any:
    """The first true answer of `check`. After the deadline, fails with what was last seen."""
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            last = check()
            if last:
                return last
        except TRANSIENT as error:
            last = f"{type(error).__name__}: {error}"
        if time.monotonic() > deadline:
            pytest.fail(f"{what}: not within {DEADLINE:.0f} s; last seen: {last}")
        time.sleep(0.1)


def test_a_committed_row_survives(
    contract: StackContract, daemon: docker.DockerClient, disturb: Callable[[Container], None]
) -> None:
    name = f"smoke/{uuid.uuid4()}"

    def service(statement: str) -> int:
        with clients.postgres(contract, "alfred") as connection:
            connection.execute("SET LOCAL ROLE service_role")
            return connection.execute(statement, [name]).rowcount

    service("INSERT INTO storage.objects (bucket_id, name) VALUES ('system-backups', %s)")
    try:
        disturbed(daemon, contract.backends.postgres, disturb)
        found = eventually(lambda: (service("SELECT FROM storage.objects WHERE name = %s"),), "Postgres answers again")
        assert found == (1,), "an acknowledged row was lost"
    finally:
        eventually(lambda: (service("DELETE FROM storage.objects WHERE name = %s"),), "the row is removed")


def test_a_key_survives(
    contract: StackContract, daemon: docker.DockerClient, disturb: Callable[[Container], None]
) -> None:
    slice_ = contract.applications["alfred"].redis
    assert slice_
    key = f"{slice_.prefix}smoke:{uuid.uuid4()}"
    with clients.redis_client(contract, "alfred") as client:
        client.set(key, "kept", ex=3600)
        written = time.monotonic()
        # appendfsync everysec: what is older than a second is on disk, which is what is promised for a crash.
        eventually(lambda: time.monotonic() - written > 1.5, "the log was flushed")
        try:
            disturbed(daemon, contract.backends.redis, disturb)
            value = eventually(lambda: (client.get(key),), "Redis answers again")
            assert value == ("kept",), "a key older than the promised second was lost"
        finally:
            eventually(lambda: (client.delete(key),), "the key is removed")


def test_an_object_survives(
    contract: StackContract, daemon: docker.DockerClient, disturb: Callable[[Container], None]
) -> None:
    if not contract.applications["alfred"].object_store:
        pytest.skip("alfred has no buckets in this stack")
    slice_ = clients.object_store_slice(contract, "alfred")
    bucket, key = next(iter(slice_.buckets.values())).name, f"strata-smoke/{uuid.uuid4()}"
    content = uuid.uuid4().bytes * 65536
    client = clients.object_store(contract, "alfred")
    client.put_object(bucket, key, io.BytesIO(content), len(content))
    try:
        disturbed(daemon, contract.backends.object_store, disturb)

        def read() -> tuple[bytes]:
            with client.get_object(bucket, key) as answer:
                return (answer.data,)

        assert eventually(read, "the object store answers again") == (content,), "an acknowledged object was lost"
    finally:
        eventually(lambda: (client.remove_object(bucket, key),), "the object is removed")


def test_points_survive(
    contract: StackContract, daemon: docker.DockerClient, disturb: Callable[[Container], None]
) -> None:
    if not contract.applications["alfred"].qdrant:
        pytest.skip("alfred has no collections in this stack")
    from tests.smoke.qdrant_space import Space  # with the official client, which takes more than a second

    space = Space(next(iter(clients.qdrant_slice(contract, "alfred").collections.values())), 200)
    mine = [{"key": key, "match": {"value": value}} for key, value in space.mark.items()]

    def ask(what: str, *more: dict[str, Any], **body: Any) -> Any:
        path = f"/collections/{space.name}/points/{what}"
        status, answer = clients.qdrant_request(
            contract, "alfred", "POST", path, {"filter": {"must": [*mine, *more]}, **body}
        )
        assert status == 200, answer
        return answer["result"]

    def found() -> tuple[int, int]:
        changed = {"key": "new", "match": {"value": True}}
        return ask("count", exact=True)["count"], ask("count", changed, exact=True)["count"]

    try:
        with clients.qdrant(contract, "alfred") as client:
            space.write(client, 0, 200, lambda number: {"number": number})
            client.set_payload(space.name, {"new": True}, [*space.ids[:50]], wait=True)
            client.delete(space.name, [*space.ids[180:]], wait=True)
        disturbed(daemon, contract.backends.qdrant, disturb)
        assert eventually(found, "Qdrant answers again") == (180, 50), "an acknowledged write was lost"
        query = space.vectors[7].tolist()
        nearest = ask("query", query=query, limit=1, **({"using": space.using} if space.using else {}))
        assert nearest["points"][0]["id"] == space.nearest(query, 1)[0][0]
    finally:
        eventually(lambda: ask("delete?wait=true"), "the points are removed")
