"""Drift: what was removed or changed by hand is found by `--refresh` and put right by that `up`."""

import io
import json
from collections.abc import Callable
from typing import Any

import docker
import psycopg
import pytest
import redis
import urllib3
from minio import Minio, MinioAdmin
from minio.credentials.providers import StaticProvider
from minio.error import S3Error

from tests.e2e import qdrant
from tests.e2e.project import Project, containers

pytestmark = [pytest.mark.e2e, pytest.mark.docker]


def secret(project: Project, backend: str) -> str:
    return (project.state_home / "strata" / "secrets" / project.stack / backend / "admin").read_text().strip()


def sql(project: Project, statement: str, database: str = "postgres") -> None:
    with psycopg.connect(
        host="127.0.0.1",
        port=project.get("postgres.port"),
        user="postgres",
        password=secret(project, "postgres"),
        dbname=database,
        autocommit=True,
    ) as connection:
        connection.execute(statement)


def acl(project: Project, *words: str) -> Any:
    with redis.Redis(port=project.get("redis.port"), username="admin", password=secret(project, "redis")) as client:
        return client.execute_command(*words)


def minio(project: Project, password: str | None = None, user: str = "admin") -> tuple[Minio, MinioAdmin]:
    """The object store's administrator, for buckets and for users."""
    where = f"127.0.0.1:{project.get('object_store.port')}"
    login = StaticProvider(user, password or secret(project, "object_store"))
    pool = urllib3.PoolManager(timeout=10, retries=False)
    s3 = Minio(where, credentials=login, secure=False, region="us-east-1", http_client=pool)
    return s3, MinioAdmin(endpoint=where, credentials=login, secure=False, http_client=pool)


def remove_container(project: Project, name: str) -> None:
    docker.from_env().containers.get(f"{project.stack}-{name}").remove(force=True)


def remove_network(project: Project) -> None:
    network = docker.from_env().networks.get(f"{project.stack}-strata")
    for container in containers(project.stack):
        network.disconnect(container, force=True)
    network.remove()


def may_do_anything(project: Project, bucket: str) -> bool:
    try:
        project.objects().get_bucket_policy(bucket)
    except S3Error as refusal:
        return refusal.code != "AccessDenied"
    return True


def use(project: Project) -> None:
    """What Alfred does with both of its logins, on the network that its containers would be on."""
    for container in containers(project.stack):
        assert list(container.attrs["NetworkSettings"]["Networks"]) == [f"{project.stack}-strata"]
    variables = project.rendered()
    with psycopg.connect(variables["DATABASE_URL"], connect_timeout=5) as connection:
        connection.execute("SET ROLE service_role")
        assert connection.execute("SELECT count(*) FROM storage.buckets").fetchone() == (3,)
    with redis.Redis.from_url(variables["REDIS_URL"]) as client:
        client.set(f"{variables['REDIS_PREFIX']}drift", "no")
    public = variables["S3_BUCKET_USER_UPLOADS"]
    project.objects().put_object(public, "drift", io.BytesIO(b"no"), 2)
    assert urllib3.request("GET", f"{variables['GLOBAL_S3_ENDPOINT']}/{public}/drift").data == b"no"
    assert not may_do_anything(project, public), "the key has rights that nobody gave it"
    qdrant.use(project)
    reader = project.outputs()["credentials"]["alfred"]["postgres"]["readonly"]
    address = {"host": "127.0.0.1", "port": project.get("postgres.port"), "dbname": "alfred"}
    with psycopg.connect(**address, user=reader["username"], password=reader["password"]) as connection:
        connection.execute("SELECT count(*) FROM storage.buckets")


def remove_redis_user(project: Project) -> None:
    acl(project, "ACL", "DELUSER", "alfred")
    acl(project, "ACL", "SAVE")


def behind_a_container(project: Project) -> None:
    """The user is missing on the volume, and nobody can be asked for it before the container is back."""
    remove_redis_user(project)
    remove_container(project, "redis")


DRIFTS: dict[str, Callable[[Project], object]] = {
    "a container": lambda project: remove_container(project, "db-postgres"),
    "a network": remove_network,
    "a Redis user": remove_redis_user,
    "a Redis user's password": lambda project: acl(project, "ACL", "SETUSER", "alfred", "resetpass", ">by-hand"),
    "a Redis user's rules": lambda project: acl(project, "ACL", "SETUSER", "alfred", "-@all"),
    "a Redis user behind a removed container": behind_a_container,
    "a login": lambda project: sql(project, f"ALTER ROLE {login(project)} NOLOGIN"),
    "a login's password": lambda project: sql(project, f"ALTER ROLE {login(project)} PASSWORD 'by hand'"),
    "a login's groups": lambda project: sql(project, f"REVOKE service_role FROM {login(project)}"),
    "a right to read": lambda project: sql(
        project, "REVOKE SELECT ON ALL TABLES IN SCHEMA storage FROM alfred_ro", "alfred"
    ),
    "an object store": lambda project: remove_container(project, "object-store"),
    "an access key": lambda project: minio(project)[1].user_remove("alfred-1"),
    "an access key's secret": lambda project: minio(project)[1].user_add("alfred-1", "set-by-hand"),
    "an access key's rights": lambda project: minio(project)[1].policy_set("consoleAdmin", user="alfred-1"),
    "who reads a bucket": lambda project: minio(project)[0].delete_bucket_policy(
        project.rendered()["S3_BUCKET_USER_UPLOADS"]
    ),
    "a vector database": lambda project: remove_container(project, "vector-db"),
    "a collection": lambda project: qdrant.by_hand(project, "DELETE", f"/collections/{qdrant.COLLECTION}"),
    "an index of a collection": qdrant.drop_index,
    "a login of Qdrant": qdrant.shut_out,
    "a right to connect": lambda project: sql(project, f"REVOKE CONNECT ON DATABASE alfred FROM {login(project)}"),
}


def login(project: Project) -> str:
    user = psycopg.conninfo.conninfo_to_dict(project.rendered()["DATABASE_URL"])["user"]
    return f'"{user}"'


@pytest.mark.parametrize("drift", DRIFTS)
def test_up_with_refresh_repairs(deployed: Project, drift: str) -> None:
    use(deployed)
    DRIFTS[drift](deployed)
    with pytest.raises((psycopg.Error, redis.RedisError, S3Error, urllib3.exceptions.HTTPError, AssertionError)):
        use(deployed)
    deployed.up("--refresh").succeeded()
    use(deployed)
    deployed.up("--refresh", "--expect-no-changes").succeeded()


def test_refresh_says_what_is_gone_and_the_state_forgets_it(deployed: Project) -> None:
    remove_redis_user(deployed)
    refused = deployed.run("refresh")
    refused.refused("--yes")
    done = deployed.run("refresh", "--yes").succeeded()
    assert "alfred-redis-user deleted" in done.text
    names = [entry["urn"].split("::")[-1] for entry in resources(deployed)]
    assert "alfred-redis-user" not in names
    assert "alfred-postgres-database" in names
    deployed.up().succeeded()
    use(deployed)


def resources(project: Project) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(project.state_file.read_text())["checkpoint"]["latest"]["resources"]
    return found


def test_a_stopped_backend_fails_the_refresh_and_leaves_the_state_byte_for_byte(deployed: Project) -> None:
    remove_redis_user(deployed)  # a drift that must not be recorded, either
    container = docker.from_env().containers.get(f"{deployed.stack}-db-postgres")
    container.stop()
    before = deployed.state_file.read_bytes()
    try:
        for command in (["refresh", "--yes"], ["up", "--yes", "--refresh"], ["preview", "--refresh"]):
            deployed.run(*command).refused("cannot be read", str(deployed.get("postgres.port")))
            assert deployed.state_file.read_bytes() == before
    finally:
        deployed.up().succeeded()  # a plain `up` starts it
    deployed.up("--refresh").succeeded()
    use(deployed)
