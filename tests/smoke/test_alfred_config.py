"""Alfred's configuration file, loaded the way Alfred loads it: it connects with nothing else."""

import io
import json
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
import yaml
from minio import Minio

from infra import config_files
from infra.contract import StackContract
from tests.smoke import clients

pytestmark = [pytest.mark.quick, pytest.mark.application("alfred")]

CLAIM = Path("applications", "alfred", "application.yaml")


@pytest.fixture
def rendered(
    contract: StackContract, stack: str, pytestconfig: pytest.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The env file, rendered anew beside the one that `up` wrote."""
    templates = yaml.safe_load((pytestconfig.rootpath / CLAIM).read_text(encoding="utf-8"))["config"]
    values = config_files.render(contract, stack=stack, app="alfred", view="host", templates=templates, file=str(CLAIM))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return config_files.write(stack, "alfred", "env", config_files.to_text(values, "env", header="smoke"))


def load(path: Path) -> dict[str, str]:
    dump = "import json, os; print(json.dumps(dict(os.environ)))"
    command = ["sh", "-euc", 'set -a; . "$1"; exec "$2" -c "$3"', "sh", str(path), sys.executable, dump]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONUTF8": "1"})
    variables: dict[str, str] = json.loads(done.stdout)
    return variables


def test_only_its_owner_reads_it(rendered: Path) -> None:
    assert stat.S_IMODE(rendered.stat().st_mode) == 0o600


def test_its_database_url_connects(rendered: Path) -> None:
    variables = load(rendered)
    with psycopg.connect(variables["DATABASE_URL"], connect_timeout=clients.SECONDS) as connection:
        found = connection.execute("SELECT current_database(), current_user").fetchone()
    assert found == (variables["DB_NAME"], variables["DB_USER"])


def test_its_redis_variables_connect(rendered: Path) -> None:
    variables = load(rendered)
    with redis.Redis.from_url(variables["REDIS_URL"], socket_timeout=clients.SECONDS) as by_url:
        assert by_url.exists(f"{variables['REDIS_PREFIX']}smoke") == 0
    with redis.Redis(
        host=variables["REDIS_HOST"],
        port=int(variables["REDIS_PORT"]),
        username=variables["REDIS_USERNAME"],
        password=variables["REDIS_PASSWORD"],
        socket_timeout=clients.SECONDS,
    ) as by_parts:
        assert by_parts.ping()


def test_its_object_store_variables_reach_the_documents_buckets(rendered: Path) -> None:
    variables = load(rendered)
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
    names = [variables[name] for name in variables if name.startswith("S3_BUCKET_")]
    assert len(names) == 3
    for name in (variables["GLOBAL_S3_BUCKET"], *names):
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


def test_it_has_the_documents_file_storage(rendered: Path) -> None:
    variables = load(rendered)
    assert variables["STORAGE_BACKEND"] == "file"
    assert variables["FILE_STORAGE_BACKEND_PATH"] == "/var/lib/storage"
    assert variables["FILE_SIZE_LIMIT"] == "52428800"
