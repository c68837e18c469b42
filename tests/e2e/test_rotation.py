"""Administrators get new passwords while the stack is used: no restart, no failure, and whatever kills the run."""

import contextlib
import io
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import docker
import psycopg
import pytest
import redis
import urllib3
from minio.error import MinioAdminException

from tests.e2e.project import Project, containers
from tests.e2e.test_drift import minio, secret, sql, use

pytestmark = [pytest.mark.e2e, pytest.mark.docker]

BACKENDS = ("postgres", "redis", "qdrant", "object_store")


def passwords(project: Project) -> dict[str, str]:
    return {backend: secret(project, backend) for backend in BACKENDS}


def rotate(project: Project, text: str, *backends: str) -> None:
    for backend in backends or BACKENDS:
        project.set(f"{backend}.admin_rotation", text)


def runs(project: Project) -> dict[str, tuple[str, str]]:
    """Container → its id and when it was started: another one was an outage."""
    return {str(c.name): (str(c.id), str(c.attrs["State"]["StartedAt"])) for c in containers(project.stack)}


def refused(project: Project, old: dict[str, str]) -> None:
    """The administrators' old passwords open nothing, and lie nowhere."""
    port = project.get("postgres.port")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(host="127.0.0.1", port=port, user="postgres", password=old["postgres"]).close()
    with (
        redis.Redis(port=project.get("redis.port"), username="admin", password=old["redis"]) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()
    with pytest.raises(MinioAdminException, match="SignatureDoesNotMatch"):
        minio(project, old["object_store"])[1].info()
    assert vectors(project, "/collections", old["qdrant"]) in (401, 403)
    assert vectors(project, "/collections", secret(project, "qdrant")) == 200
    assert pending(project) == []


def vectors(project: Project, path: str, token: str, body: object = None) -> int:
    """The status of Qdrant's answer to a GET, or to a PUT of `body`."""
    url = f"http://127.0.0.1:{project.get('qdrant.port')}{path}"
    headers = {"api-key": token}
    if body is None:
        return urllib3.request("GET", url, headers=headers).status
    return urllib3.request("PUT", url, headers=headers, json=body).status


def pending(project: Project) -> list[str]:
    folder = project.state_home / "strata" / "secrets" / project.stack
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.previous"))


def connection_limit(project: Project, role: str) -> int:
    with project.database() as connection:
        row = connection.execute("SELECT rolconnlimit FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
    assert row
    return int(row[0])


class Client:
    """Writes all the time, as an application does: over a session that it keeps, and over new ones."""

    def __init__(self, write: Callable[[], object]) -> None:
        self.writes, self.failures = 0, list[str]()
        self._write, self._over = write, threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.01):
            try:
                self._write()
                self.writes += 1
            except Exception as error:  # noqa: BLE001 - whatever an application would see
                self.failures.append(f"{type(error).__name__}: {error}")


@contextlib.contextmanager
def clients(project: Project) -> Iterator[dict[str, Client]]:
    variables = project.rendered()
    insert = "INSERT INTO storage.objects (bucket_id, name) VALUES ('system-backups', gen_random_uuid()::text)"
    key, bucket = f"{variables['REDIS_PREFIX']}busy", variables["S3_BUCKET_USER_UPLOADS"]

    point = {"points": [{"id": 1, "vector": [0.1] * 1536, "payload": {}}]}

    def put_vector() -> None:
        path = f"/collections/{variables['QDRANT_COLLECTION']}/points?wait=true"
        assert (status := vectors(project, path, variables["QDRANT_API_KEY"], point)) == 200, status

    def new_sessions() -> None:
        with project.database() as connection:
            connection.execute("SET ROLE service_role")
            connection.execute(insert)
        with redis.Redis.from_url(variables["REDIS_URL"]) as connection:
            connection.set(key, "new")

    with project.database() as kept, redis.Redis.from_url(variables["REDIS_URL"]) as cache:
        kept.autocommit = True
        kept.execute("SET ROLE service_role")
        objects = project.objects()
        writes: dict[str, Callable[[], Any]] = {
            "postgres": lambda: kept.execute(insert),
            "redis": lambda: cache.set(key, "kept"),
            "qdrant": put_vector,
            "object store": lambda: objects.put_object(bucket, "busy", io.BytesIO(b"x"), 1),
            "new sessions": new_sessions,
        }
        busy = {name: Client(write) for name, write in writes.items()}
        try:
            yield busy
        finally:
            for client in busy.values():
                client.stop()


def test_nobody_notices_a_rotation_and_slices_still_read_update_and_delete(deployed: Project) -> None:
    old, before = passwords(deployed), runs(deployed)
    rotate(deployed, "1")
    plan = deployed.run("preview").succeeded().text
    for backend in ("postgres", "redis", "qdrant", "object-store"):
        assert f"RandomPassword {backend}-admin replace" in plan
        assert f"Ready {backend}-ready update" in plan
    assert "Container" not in plan, plan
    with clients(deployed) as busy:
        deployed.up().succeeded()
    assert {name: client.failures for name, client in busy.items() if client.failures} == {}
    assert min(client.writes for client in busy.values()) > 10, "the test would prove nothing"
    assert runs(deployed) == before
    assert set(passwords(deployed).values()).isdisjoint(old.values())
    refused(deployed, old)

    deployed.up("--refresh", "--expect-no-changes").succeeded()  # slices read with the new password
    claim = deployed.root / "applications" / "alfred" / "application.yaml"
    declared = claim.read_text()
    claim.write_text(declared.replace("connection_limit: 50", "connection_limit: 7", 1))
    deployed.up().succeeded()  # and update
    assert connection_limit(deployed, "alfred_ro") == 7
    claim.write_text(declared)
    variables = deployed.rendered()
    deployed.config["strata:applications"] = []
    deployed.write()
    deployed.up().succeeded()  # and delete
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(variables["DATABASE_URL"], connect_timeout=5).close()
    deployed.config["strata:applications"] = ["alfred"]
    deployed.write()
    deployed.up().succeeded()
    use(deployed)
    assert runs(deployed) == before


@pytest.mark.parametrize("backend", ["postgres", "redis"])
def test_up_goes_on_from_a_kill_before_the_backend_was_told(deployed: Project, backend: str) -> None:
    old, before = passwords(deployed), runs(deployed)
    rotate(deployed, f"killed {backend}")
    killed_when(deployed, lambda: f"{backend}/admin.previous" in pending(deployed))
    assert f"{backend}/admin.previous" in pending(deployed), "the kill came too late: the test proves nothing"
    deployed.run("refresh", "--yes")  # may be refused, and must not make it worse
    rotate(deployed, f"after {backend}")  # and the one before was never told
    deployed.up().succeeded()
    refused(deployed, old)
    assert runs(deployed) == before
    use(deployed)
    deployed.up("--refresh", "--expect-no-changes").succeeded()


def killed_when(project: Project, reached: Callable[[], bool]) -> None:
    """`up`, and SIGKILL to all of its processes as soon as `reached`."""
    process = project.start("up", "--yes", "--skip-smoke")
    deadline = time.monotonic() + 120
    while not reached() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_a_backend_that_is_stopped_meanwhile_starts_with_the_new_password(deployed: Project) -> None:
    old = passwords(deployed)
    for container in containers(deployed.stack):
        container.stop()
    rotate(deployed, "while stopped")
    deployed.up().succeeded()
    refused(deployed, old)
    use(deployed)
    deployed.up("--expect-no-changes").succeeded()


def test_root_s_new_password_restarts_the_object_store_alone(deployed: Project) -> None:
    path = deployed.state_home / "strata" / "secrets" / deployed.stack / "object_store" / "root"
    before, old = runs(deployed), path.read_text()
    deployed.set("object_store.root_rotation", "2")
    rotate(deployed, "with root's", "object_store")
    deployed.up().succeeded()
    after = runs(deployed)
    assert {name for name in before if after[name] != before[name]} == {f"{deployed.stack}-object-store"}
    assert path.read_text() != old
    use(deployed)
    deployed.up("--refresh", "--expect-no-changes").succeeded()


def test_an_administrator_of_the_object_store_who_is_gone_comes_back_with_a_plain_up(deployed: Project) -> None:
    """As in a stack whose MinIO had no administrator besides root."""
    path = deployed.state_home / "strata" / "secrets" / deployed.stack / "object_store" / "root"
    minio(deployed, path.read_text(), "root")[1].user_remove("admin")
    with pytest.raises(MinioAdminException, match="InvalidAccessKeyId"):
        minio(deployed)[1].info()
    deployed.up().succeeded()
    minio(deployed)[1].info()
    use(deployed)


def test_a_password_that_nobody_knows_any_more_is_asserted_by_a_restart(deployed: Project) -> None:
    sql(deployed, "ALTER ROLE postgres PASSWORD 'set by hand'")
    name = f"{deployed.stack}-db-postgres"
    deployed.up().refused("the administrator's password is refused", f"docker restart {name}")
    docker.from_env().containers.get(name).restart()
    deployed.up().succeeded()
    use(deployed)
