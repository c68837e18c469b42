"""Access ends with the claim, data does not; and what was removed by hand comes back."""

import io

import docker
import psycopg
import pytest
import redis
import urllib3
from minio import Minio
from minio.error import S3Error

from tests.e2e import qdrant
from tests.e2e.project import Project

pytestmark = [pytest.mark.e2e, pytest.mark.docker]


def refused_everywhere(project: Project, variables: dict[str, str], objects: Minio) -> None:
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(variables["DATABASE_URL"], connect_timeout=5).close()
    with redis.Redis.from_url(variables["REDIS_URL"]) as client, pytest.raises(redis.AuthenticationError):
        client.ping()
    assert qdrant.status(project, variables["QDRANT_API_KEY"]) in qdrant.REFUSED
    bucket = variables["S3_BUCKET_USER_UPLOADS"]
    with pytest.raises(S3Error, match="InvalidAccessKeyId"):
        objects.get_object(bucket, "kept")
    anonymous = urllib3.request("GET", f"{variables['GLOBAL_S3_ENDPOINT']}/{bucket}/kept")
    assert anonymous.status == 403, "the public bucket of an application that is gone is still open to everybody"


def rows(project: Project) -> int:
    with project.database() as connection:
        connection.execute("SET ROLE service_role")
        found = connection.execute("SELECT count(*) FROM storage.objects").fetchone()
    assert found
    return int(found[0])


def remember(project: Project) -> dict[str, str]:
    """Writes a row and a key; returns the configuration of the moment."""
    variables = project.rendered()
    with project.database() as connection:
        connection.execute("SET ROLE service_role")
        connection.execute("INSERT INTO storage.objects (bucket_id, name) VALUES ('system-backups', 'kept')")
    with redis.Redis.from_url(variables["REDIS_URL"]) as client:
        client.set(f"{variables['REDIS_PREFIX']}kept", "yes")
    project.objects().put_object(variables["S3_BUCKET_USER_UPLOADS"], "kept", io.BytesIO(b"yes"), 3)
    qdrant.remember(project)
    return variables


def test_a_container_removed_by_hand_comes_back_with_its_data(deployed: Project) -> None:
    variables = remember(deployed)
    client = docker.from_env()
    client.containers.get(f"{deployed.stack}-redis").remove(force=True)
    client.containers.get(f"{deployed.stack}-object-store").remove(force=True)
    client.containers.get(f"{deployed.stack}-vector-db").remove(force=True)
    client.containers.get(f"{deployed.stack}-db-postgres").stop()
    deployed.up().succeeded()
    assert rows(deployed) == 1
    with redis.Redis.from_url(variables["REDIS_URL"]) as connection:
        assert connection.get(f"{variables['REDIS_PREFIX']}kept") == b"yes"
    with deployed.objects().get_object(variables["S3_BUCKET_USER_UPLOADS"], "kept") as answer:
        assert answer.data == b"yes"
    assert qdrant.remembers(deployed)
    deployed.up("--expect-no-changes").succeeded()


def test_a_removed_application_loses_its_access_and_keeps_its_data(deployed: Project) -> None:
    variables, objects = deployed.rendered(), deployed.objects()
    deployed.config["strata:applications"] = []
    deployed.set("postgres.memory", "900Mi")  # its backend is replaced in the same run
    deployed.up().succeeded()
    refused_everywhere(deployed, variables, objects)
    deployed.config["strata:applications"] = ["alfred"]
    deployed.write()
    deployed.up().succeeded()
    assert rows(deployed) == 1, "an application that came back did not find its data"
    assert deployed.objects().stat_object(variables["S3_BUCKET_USER_UPLOADS"], "kept").size == 3
    assert qdrant.remembers(deployed)


def test_an_application_removed_between_destroy_and_up_loses_its_access(deployed: Project) -> None:
    """`destroy` skips the deletes inside a backend that goes with them: the roster has to revoke what is left."""
    variables, objects = deployed.rendered(), deployed.objects()
    deployed.destroy().succeeded()
    deployed.config["strata:applications"] = []
    deployed.write()
    deployed.run("up", "--yes").succeeded()  # with its smoke tests: a stack without applications is a stack
    refused_everywhere(deployed, variables, objects)


def test_a_lost_admin_secret_is_written_again(deployed: Project) -> None:
    """The host's copy is what slices act with; the state still knows it."""
    path = deployed.state_home / "strata" / "secrets" / deployed.stack / "redis" / "admin"
    secret = path.read_text()
    path.unlink()
    deployed.up().succeeded()
    assert path.read_text() == secret
    assert path.stat().st_mode & 0o777 == 0o600
