"""Applications beyond the first: one that `strata app new` makes, and one with a Redis of its own."""

import re
import subprocess
from collections.abc import Iterator

import docker
import psycopg
import pytest
import redis
import yaml

from components.claims import Application
from infra import settings
from tests.e2e.project import Project, eventually, free_port
from tests.slices.servers import POSTGRES, Server, server

pytestmark = [pytest.mark.e2e, pytest.mark.docker]

SOLO = {
    "name": "solo",
    "description": "Knows a password and no name",
    "redis": {"mode": "dedicated", "server": {"memory": "64Mi", "cpu": 0.5, "storage": "1Gi", "port": 6390}},
    "config": {"REDIS_URL": "redis://:{{ redis.password | urlencode }}@{{ redis.host }}:{{ redis.port }}/0"},
}

ALL = ("alfred", "shop", "solo", "trends")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Up with `alfred` and `trends`, `shop` as `strata app new` makes it, and `solo`."""
    project = Project.make(tmp_path_factory.mktemp("e2e") / "checkout")
    project.write()
    try:
        project.run("app", "new", "shop").succeeded()
        (project.root / "applications" / "solo").mkdir()
        (project.root / "applications" / "solo" / "application.yaml").write_text(yaml.safe_dump(SOLO))
        project.set("redis.dedicated", {name: {"port": free_port()} for name in ("solo", "trends")})
        use(project, *ALL)
        project.run("up", "--yes").succeeded()  # with its smoke tests
        yield project
    finally:
        project.remove()


def use(project: Project, *applications: str) -> None:
    project.config["strata:applications"] = list(applications)
    project.write()


def solo(project: Project) -> redis.Redis:
    client: redis.Redis = redis.Redis.from_url(project.rendered("solo")["REDIS_URL"], decode_responses=True)
    return client


def test_a_new_application_works_as_it_is(stack: Project) -> None:
    variables = stack.rendered("shop")
    with psycopg.connect(variables["DATABASE_URL"], connect_timeout=5) as connection:
        connection.execute("INSERT INTO documents (content) VALUES ('{}')")
        assert connection.execute("SELECT count(*) FROM documents").fetchone() == (1,)
        connection.rollback()
    with redis.Redis.from_url(variables["REDIS_URL"]) as client:
        assert client.set(f"{variables['REDIS_PREFIX']}k", "v", ex=10)
    report = stack.run("verify").succeeded().text
    assert "shop: 5/5" in report
    assert "solo: 1/1" in report
    assert "All checks passed! (21/21)" in report


@pytest.mark.parametrize("application", ["alfred", "shop", "trends"])
def test_the_script_of_a_database_makes_what_the_stack_makes(
    stack: Project, application: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Before other tests change it: schema, owners, grants and default privileges as pg_dump has them, and roles."""
    claim = settings.read_application(stack.root, application)
    printed = stack.run("app", "sql", application).succeeded().text
    container = docker.from_env().containers.get(f"{stack.stack}-db-postgres")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        with server(docker.from_env(), POSTGRES) as other:
            other.start().ready()
            _run_script(other, printed)
            assert _described(str(other.running.name), claim) == _described(str(container.name), claim)


def test_a_name_that_is_taken_or_too_long_is_refused_before_anything_is_written(stack: Project) -> None:
    stack.run("app", "new", "shop").refused("shop exists")
    stack.run("app", "new", "Shop-2").refused("at most 40 lower-case letters")
    stack.run("app", "new", "a" * 41).refused("at most 40")
    assert not (stack.root / "applications" / ("a" * 41)).exists()


def test_a_restart_of_its_redis_keeps_the_login_and_the_keys(stack: Project) -> None:
    with solo(stack) as client:
        client.set("user:1", "kept")
        eventually("the log is on the disk", lambda: client.execute_command("WAITAOF", 1, 0, 5000)[0] == 1)
    docker.from_env().containers.get(f"{stack.stack}-redis-solo").restart()

    def kept() -> bool:
        with solo(stack) as client:
            return bool(client.get("user:1") == "kept")

    eventually("its Redis answers again", kept)
    stack.up("--expect-no-changes").succeeded()


def test_verify_says_what_is_wrong_and_what_to_do(stack: Project) -> None:
    daemon = docker.from_env()
    container = daemon.containers.get(f"{stack.stack}-redis-solo")
    container.stop()
    failed = stack.run("verify", "solo")
    assert failed.code == 1
    assert "✗ FAILED  Redis  no answer at 127.0.0.1" in failed.text
    assert "`strata up` starts it" in failed.text
    container.start()
    container = daemon.containers.get(f"{stack.stack}-object-store")
    container.stop()
    unreachable = stack.run("verify", "alfred")
    assert unreachable.code == 1
    assert "✗ FAILED  Object Store       no answer at 127.0.0.1" in unreachable.text
    container.start()
    administrator = daemon.containers.get(f"{stack.stack}-db-postgres")
    command = ["psql", "-Upostgres", "-dshop", "-qc", "ALTER TABLE documents RENAME TO d; REVOKE ALL ON d FROM shop"]
    assert administrator.exec_run(command, user="999").exit_code == 0
    denied = stack.run("verify", "shop")
    assert denied.code == 1
    assert "permission denied: shop may not read d" in denied.text
    command[-1] = "DROP TABLE d"
    assert administrator.exec_run(command, user="999").exit_code == 0
    missing = stack.run("verify", "shop", "--json")
    assert missing.code == 1
    assert "Schema not initialized: 0001_documents is declared" in missing.text
    command[-1] = "SET ROLE shop_owner; CREATE TABLE documents (id uuid, content jsonb)"
    assert administrator.exec_run(command, user="999").exit_code == 0
    stack.run("verify", "shop").succeeded()


def test_a_removed_application_keeps_its_data_and_a_returned_one_finds_it(stack: Project) -> None:
    with solo(stack) as client:
        client.set("user:2", "kept")
        eventually("the log is on the disk", lambda: client.execute_command("WAITAOF", 1, 0, 5000)[0] == 1)
    before = stack.rendered("solo")["REDIS_URL"]
    volume = f"{stack.stack}-redis-solo-data"
    use(stack, *(name for name in ALL if name != "solo"))
    removed = stack.up().succeeded()
    assert f"No longer part of the stack, and kept with their data: the volumes {volume}." in removed.text
    assert "redis-solo" not in stack.ids()
    assert docker.from_env().volumes.get(volume)
    use(stack, *ALL)
    stack.up().succeeded()
    with solo(stack) as client:
        assert client.get("user:2") == "kept"
    with redis.Redis.from_url(before) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_an_application_removed_between_destroy_and_up_keeps_its_data_too(stack: Project) -> None:
    stack.destroy().succeeded()
    use(stack, *(name for name in ALL if name != "solo"))
    stack.up().succeeded()
    assert "redis-solo" not in stack.ids()
    use(stack, *ALL)
    assert "adopted" in stack.up().succeeded().text
    with solo(stack) as client:
        assert client.get("user:2") == "kept"


def _run_script(other: Server, script: str) -> None:
    command = ["docker", "exec", "-i", other.name, "psql", "-XqUpostgres", "-dpostgres"]
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _described(container: str, claim: Application) -> list[str]:
    names = ", ".join(f"'{role}'" for role in claim.postgres_roles)
    dump = ["pg_dump", "-Upostgres", "--schema-only", "--exclude-schema=strata", claim.name]
    roles = (
        "SELECT rolname, rolcanlogin, rolinherit, rolconnlimit, rolsuper, rolbypassrls, rolcreatedb, array_to_string("
        "(SELECT setconfig FROM pg_db_role_setting WHERE setrole = r.oid AND setdatabase = 0), ','),"
        " (SELECT string_agg(g.rolname, ',' ORDER BY g.rolname)"
        "  FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid"
        "  WHERE m.member = r.oid) FROM pg_roles r"
        f" WHERE rolname IN ({names}) ORDER BY 1"
    )
    lines: list[str] = []
    for command in (dump, ["psql", "-XAtqUpostgres", "-dpostgres", f"-c{roles}"]):
        done = subprocess.run(["docker", "exec", container, *command], capture_output=True, text=True, check=True)
        lines += (line for line in done.stdout.splitlines() if not line.startswith(("--", "\\")))
    # Grants, and the roles of a policy, stand in the order in which they were made.
    return sorted(
        re.sub(r"(?<= TO )\w+(, \w+)+", lambda found: ", ".join(sorted(found[0].split(", "))), line) for line in lines
    )
