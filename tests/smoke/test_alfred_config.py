"""Alfred's configuration file, loaded the way Alfred loads it: it connects with nothing else."""

import io
import stat
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from minio import Minio

from infra.contract import StackContract
from tests.smoke import clients
from tests.smoke.alfred import LIMITS, VARIABLES, load, verified

pytestmark = [pytest.mark.quick, pytest.mark.application("alfred")]


def test_only_its_owner_reads_it(alfred_file: Path) -> None:
    assert stat.S_IMODE(alfred_file.stat().st_mode) == 0o600


def test_it_has_every_variable_of_the_document(alfred_file: Path) -> None:
    variables = load(alfred_file)
    assert [name for name in VARIABLES if not variables.get(name)] == []
    for bucket, (size, types) in LIMITS.items():
        written = variables[f"S3_BUCKET_{bucket}_MAX_SIZE"], variables[f"S3_BUCKET_{bucket}_CONTENT_TYPES"]
        assert written == (str(size), types), bucket


def test_its_keys_are_tokens_of_its_secret_for_roles_that_it_may_become(alfred_file: Path) -> None:
    variables = load(alfred_file)
    assert variables["SERVICE_KEY"] == variables["SERVICE_ROLE_KEY"]
    for variable, role, buckets in (("ANON_KEY", "anon", 1), ("SERVICE_ROLE_KEY", "service_role", 3)):
        claims = verified(variables[variable], variables["PGRST_JWT_SECRET"])
        assert claims == {"iss": "supabase", "role": role}, variable
        with psycopg.connect(variables["DATABASE_URL"], connect_timeout=clients.SECONDS) as connection:
            connection.execute("SELECT set_config('role', %s, true)", [claims["role"]])
            found = connection.execute("SELECT count(*) FROM storage.buckets").fetchone()
        assert found == (buckets,), f"{variable} sees other buckets than those of {role}"


def test_its_volumes_are_those_of_the_contract(alfred_file: Path, contract: StackContract) -> None:
    variables, volumes = load(alfred_file), contract.applications["alfred"].volumes
    assert volumes
    named = {name: variables[f"VOLUME_{name.upper().replace('-', '_')}"] for name in volumes}
    assert named == {name: volume.name for name, volume in volumes.items()}


def test_its_database_url_connects(alfred_file: Path) -> None:
    variables = load(alfred_file)
    with psycopg.connect(variables["DATABASE_URL"], connect_timeout=clients.SECONDS) as connection:
        found = connection.execute("SELECT current_database(), current_user").fetchone()
    assert found == (variables["DB_NAME"], variables["DB_USER"])


def test_its_redis_variables_connect(alfred_file: Path) -> None:
    variables = load(alfred_file)
    with redis.Redis.from_url(variables["REDIS_URL"], socket_timeout=clients.SECONDS) as by_url:
        assert by_url.exists(f"{variables['REDIS_PREFIX']}smoke") == 0
    with redis.Redis(
        host=variables["REDIS_HOST"],
        port=int(variables["REDIS_PORT"]),
        username=variables["REDIS_USERNAME"],
        password=variables["REDIS_PASSWORD"],
        socket_timeout=clients.SECONDS,
        ssl=clients.encrypted(variables),
    ) as by_parts:
        assert by_parts.ping()


def test_its_object_store_variables_reach_the_documents_buckets(alfred_file: Path) -> None:
    variables = load(alfred_file)
    endpoint = urlsplit(variables["GLOBAL_S3_ENDPOINT"])
    assert variables["GLOBAL_S3_FORCE_PATH_STYLE"] == "true"
    client = Minio(
        endpoint.netloc,
        variables["AWS_ACCESS_KEY_ID"],
        variables["AWS_SECRET_ACCESS_KEY"],
        secure=endpoint.scheme == "https",
        region=variables["REGION"],
        http_client=clients.http(),
    )
    for name in (variables[name] for name in ("GLOBAL_S3_BUCKET", *(f"S3_BUCKET_{bucket}" for bucket in LIMITS))):
        client.put_object(name, "strata-smoke/config", io.BytesIO(b"1"), 1)
        client.remove_object(name, "strata-smoke/config")


def test_its_buckets_limits_are_those_of_their_rows(contract: StackContract) -> None:
    buckets = clients.object_store_slice(contract, "alfred").buckets
    with clients.postgres(contract, "alfred") as connection:
        connection.execute("SET LOCAL ROLE service_role")
        query = "SELECT id, public, file_size_limit, allowed_mime_types FROM storage.buckets"
        rows = connection.execute(query).fetchall()
    assert len(rows) == 3
    for name, public, size, types in rows:
        facts = buckets[name]
        assert (facts.public, facts.max_size, sorted(facts.content_types)) == (public, size, sorted(types)), name


def test_it_has_the_documents_file_storage(alfred_file: Path) -> None:
    variables = load(alfred_file)
    assert variables["STORAGE_BACKEND"] == "file"
    assert variables["FILE_STORAGE_BACKEND_PATH"] == "/var/lib/storage"
    assert variables["FILE_SIZE_LIMIT"] == "52428800"
