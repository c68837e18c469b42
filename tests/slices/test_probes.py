"""The probes that Kubernetes runs: an hour of recovery ends no container, and nobody is sent to it meanwhile."""

import json
import secrets
from collections.abc import Callable
from dataclasses import replace

import pytest

from components.scripts.probes import probes
from components.slices.admin import Address
from components.slices.redis.connection import connect as connect_redis
from components.slices.secret_file import SecretFileProvider
from tests.slices.probing import ALIVE, READY, STARTED, passes
from tests.slices.servers import POSTGRES, REDIS, Kind, Server, eventually

Fresh = Callable[[Kind], Server]
BACKENDS = ("postgres", "redis", "qdrant", "object_store")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("tls", [True, False])
def test_every_backend_has_patience_and_the_api_takes_it_as_it_is(backend: str, *, tls: bool) -> None:
    made = probes(backend, tls=tls)
    assert set(made) == {STARTED, READY, ALIVE}
    assert json.loads(json.dumps(made)) == made
    assert all(probe["timeoutSeconds"] > 1 for probe in made.values())
    budget = made[STARTED]["periodSeconds"] * made[STARTED]["failureThreshold"]
    assert budget >= {"postgres": 3600, "qdrant": 3600}.get(backend, 300)
    schemes = {probe["httpGet"]["scheme"] for probe in made.values() if "httpGet" in probe}
    assert schemes <= {"HTTPS" if tls else "HTTP"}


@pytest.mark.docker
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_server_that_serves_passes_all(backend: str, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(backend)
    eventually(lambda: passes(server, READY))
    assert passes(server, STARTED)
    assert passes(server, ALIVE)


@pytest.mark.docker
@pytest.mark.parametrize("backend", ["postgres", "redis"])
def test_a_refused_password_is_not_ready_and_ends_nothing(backend: str, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(backend)
    try:
        SecretFileProvider().create(server.secret_props(content=secrets.token_hex(8)))
        assert not passes(server, READY)
        assert passes(server, ALIVE)
    finally:
        SecretFileProvider().create(server.secret_props())


@pytest.mark.docker
@pytest.mark.parametrize(
    "kind",
    [replace(POSTGRES, arguments=("-c", "port=5433")), replace(REDIS, arguments=("--port", "6380"))],
    ids=lambda kind: kind.name,
)
def test_a_server_that_does_not_answer_is_not_alive(kind: Kind, fresh: Fresh) -> None:
    server = fresh(kind).start()
    words = {"postgres": "ready to accept connections", "redis": "Ready to accept connections"}
    eventually(lambda: words[kind.name] in server.log())
    assert not passes(server, ALIVE)
    assert not passes(server, READY)


@pytest.mark.docker
def test_postgres_in_recovery_is_alive_and_not_ready(fresh: Fresh) -> None:
    server = fresh(replace(POSTGRES, arguments=("-c", "hot_standby=off"))).start().ready()
    server.run("sh", "-c", 'touch "$PGDATA/standby.signal"')  # recovery that waits for more, and has no end
    server.running.restart(timeout=30)
    eventually(lambda: passes(server, ALIVE))
    assert passes(server, STARTED)
    assert not passes(server, READY)


@pytest.mark.docker
def test_redis_that_loads_is_alive_and_not_ready(fresh: Fresh) -> None:
    slow = ("--key-load-delay", "100000", "--loading-process-events-interval-bytes", "1024")  # 0.1 s for each key
    server = fresh(replace(REDIS, arguments=(*REDIS.arguments, *slow))).start().ready()
    with connect_redis(Address.of(server.props())) as connection:
        for number in range(200):
            connection.command("SET", f"key-{number}", secrets.token_hex(1024))
        connection.command("BGREWRITEAOF")  # a whole log is loaded key by key, and questions are answered meanwhile
        eventually(lambda: not connection.command("INFO", "persistence")["aof_rewrite_in_progress"])
    server.running.restart(timeout=30)
    eventually(lambda: passes(server, ALIVE))
    assert not passes(server, READY)
    assert "LOADING" in server.run("redis-cli", "--user", "admin", "--pass", server.password, "PING")
