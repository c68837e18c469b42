"""Data that was replaced, and data that is to go."""

import docker
import pytest
from docker.errors import NotFound

from tests.e2e.project import Project
from tests.e2e.test_drift import use

pytestmark = [pytest.mark.e2e, pytest.mark.docker]


def volumes(project: Project) -> set[str]:
    label = {"label": f"strata.stack=strata/{project.stack}"}
    return {str(v.name).removeprefix(f"{project.stack}-") for v in docker.from_env().volumes.list(filters=label)}


@pytest.mark.parametrize(
    ("container", "volume"),
    [
        ("db-postgres", "db-postgres-data"),
        ("redis", "redis-data"),
        ("object-store", "object-store-data"),
        ("vector-db", "vector-db-data"),
    ],
)
def test_a_plain_up_heals_a_replaced_volume(deployed: Project, container: str, volume: str) -> None:
    client = docker.from_env()
    client.containers.get(f"{deployed.stack}-{container}").remove(force=True)
    client.volumes.get(f"{deployed.stack}-{container}-data").remove()
    deployed.run("up", "--yes").succeeded()  # with its smoke tests: schema, roles and users are there again
    use(deployed)
    deployed.up("--refresh", "--expect-no-changes").succeeded()


def test_destroy_deletes_the_named_data_and_keeps_the_rest(deployed: Project) -> None:
    doomed, kept = (f"{deployed.stack}-{name}-data" for name in ("redis", "db-postgres"))
    before = deployed.ids()
    deployed.run("destroy", "--yes", "--delete-data", "redis-dat").refused("redis-dat", doomed, kept)
    deployed.run("destroy", "--delete-data", doomed).refused("--yes")
    assert deployed.ids() == before
    gone = deployed.run("destroy", "--yes", "--delete-data", doomed).succeeded()
    assert f"Deleted for good: the volumes {doomed}" in gone.text
    assert deployed.ids() == {}
    others = sorted(f"{deployed.stack}-{name}" for name in volumes(deployed))
    assert kept in others
    assert f"Kept data: the volumes {', '.join(others)}." in gone.text
    with pytest.raises(NotFound):
        docker.from_env().volumes.get(doomed)
    assert "adopted" in deployed.up().succeeded().text
    use(deployed)
