"""Data that was replaced, data that is to go, and administrators whose passwords are changed."""

import docker
import psycopg
import pytest
import redis
from docker.errors import NotFound
from minio.error import MinioAdminException

from tests.e2e.project import Project
from tests.e2e.test_drift import minio, secret, sql, use

pytestmark = [pytest.mark.e2e, pytest.mark.docker]


def volumes(project: Project) -> set[str]:
    label = {"label": f"strata.stack=strata/{project.stack}"}
    return {str(v.name).removeprefix(f"{project.stack}-") for v in docker.from_env().volumes.list(filters=label)}


@pytest.mark.parametrize(
    ("container", "volume"),
    [("db-postgres", "db-postgres-data"), ("redis", "redis-data"), ("object-store", "object-store-data")],
)
def test_a_plain_up_heals_a_replaced_volume(deployed: Project, container: str, volume: str) -> None:
    client = docker.from_env()
    client.containers.get(f"{deployed.stack}-{container}").remove(force=True)
    client.volumes.get(f"{deployed.stack}-{container}-data").remove()
    deployed.run("up", "--yes").succeeded()  # with its smoke tests: schema, roles and users are there again
    use(deployed)
    deployed.up("--refresh", "--expect-no-changes").succeeded()


def test_a_setting_gives_the_administrators_new_passwords(deployed: Project) -> None:
    old = {backend: secret(deployed, backend) for backend in ("postgres", "redis", "object_store")}
    for backend in old:
        deployed.set(f"{backend}.admin_rotation", 1)
    plan = deployed.run("preview").succeeded()
    for step in ("RandomPassword postgres-admin replace", "Container redis-container replace"):
        assert step in plan.text
    deployed.up().succeeded()
    use(deployed)
    assert all(secret(deployed, backend) != old[backend] for backend in old)
    port = deployed.get("postgres.port")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(host="127.0.0.1", port=port, user="postgres", password=old["postgres"]).close()
    with (
        redis.Redis(port=deployed.get("redis.port"), username="admin", password=old["redis"]) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()
    with pytest.raises(MinioAdminException, match="SignatureDoesNotMatch"):
        minio(deployed, old["object_store"])[1].info()
    sql(deployed, "SELECT 1")
    deployed.up("--refresh", "--expect-no-changes").succeeded()  # slices read with the new password
    sql(deployed, "ALTER ROLE alfred_ro NOLOGIN")
    deployed.up("--refresh").succeeded()  # and update
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


def test_destroy_deletes_the_named_data_and_keeps_the_rest(deployed: Project) -> None:
    doomed, kept = (f"{deployed.stack}-{name}-data" for name in ("redis", "db-postgres"))
    others = f"{kept}, {deployed.stack}-object-store-data"
    before = deployed.ids()
    deployed.run("destroy", "--yes", "--delete-data", "redis-dat").refused("redis-dat", doomed, kept)
    deployed.run("destroy", "--delete-data", doomed).refused("--yes")
    assert deployed.ids() == before
    gone = deployed.run("destroy", "--yes", "--delete-data", doomed).succeeded()
    assert f"Deleted for good: the volumes {doomed}" in gone.text
    assert f"Kept data: the volumes {others}." in gone.text
    assert deployed.ids() == {}
    assert "db-postgres-data" in volumes(deployed)
    with pytest.raises(NotFound):
        docker.from_env().volumes.get(doomed)
    assert "adopted" in deployed.up().succeeded().text
    use(deployed)
