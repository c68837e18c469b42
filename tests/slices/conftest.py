"""One server of each backend for the providers' tests; a server of its own for each test of the start scripts."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import docker
import pytest

from components.slices.admin import Address
from components.slices.postgres.connection import connect, run
from components.slices.postgres.database import DatabaseProvider
from components.slices.postgres.role import RoleProvider
from tests.slices.servers import OBJECT_STORE, POSTGRES, QDRANT, REDIS, Kind, Server, server


@pytest.fixture(scope="session", autouse=True)
def state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Secrets of these tests go nowhere near the user's."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("state")
        patch.setenv("XDG_STATE_HOME", str(home))
        yield home


@pytest.fixture(scope="session")
def client() -> Iterator[docker.DockerClient]:
    daemon = docker.DockerClient.from_env()
    yield daemon
    daemon.close()


@pytest.fixture(scope="session")
def postgres(client: docker.DockerClient) -> Iterator[Server]:
    with server(client, POSTGRES) as made:
        yield made.start().ready()


@pytest.fixture(scope="session")
def redis(client: docker.DockerClient) -> Iterator[Server]:
    with server(client, REDIS) as made:
        yield made.start().ready()


@pytest.fixture(scope="session")
def object_store(client: docker.DockerClient) -> Iterator[Server]:
    with server(client, OBJECT_STORE) as made:
        yield made.start().ready()


@pytest.fixture(scope="session")
def qdrant(client: docker.DockerClient) -> Iterator[Server]:
    with server(client, QDRANT) as made:
        yield made.start().ready()


@pytest.fixture
def fresh(client: docker.DockerClient) -> Iterator[Callable[[Kind], Server]]:
    """Makes a server that no other test sees; it is not started yet."""
    with ExitStack() as stack:
        yield lambda kind: stack.enter_context(server(client, kind))


@pytest.fixture
def name(postgres: Server) -> Iterator[str]:
    """A name for a role and a database of one test."""
    made = f"r_{secrets.token_hex(4)}"
    yield made
    with connect(Address.of(postgres.props())) as admin:
        run(admin, "DROP DATABASE IF EXISTS {} WITH (FORCE)", made)
        query = "SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)"
        for row in admin.execute(query, (made,)).fetchall():
            run(admin, "DROP ROLE {}", row[0])


@pytest.fixture
def database(postgres: Server) -> Iterator[str]:
    name = f"db_{secrets.token_hex(4)}"
    owner = f"{name}_owner"
    RoleProvider().create(postgres.props(name=owner, login=False, inherit=True))
    DatabaseProvider().create(postgres.props(name=name, owner=owner))
    yield name
    DatabaseProvider().delete(name, postgres.props(name=name))
    RoleProvider().delete(owner, postgres.props(name=owner))
