"""The built images behave as the official ones where Strata and its users rely on it."""

import secrets
import time
from collections.abc import Iterator

import docker
import pytest
from docker.errors import APIError
from docker.models.containers import Container

import images
from components.scripts import HEALTHCHECKS
from images import recipes

pytestmark = pytest.mark.docker

LABEL = "strata.test"
NEEDED = {
    "postgres": "sh cat chmod mkdir mv od rm sleep initdb postgres psql pg_isready pg_controldata pg_dump pg_restore",
    "redis": "sh cat chmod grep mkdir mv od rm sha256sum sleep redis-server redis-cli redis-check-aof",
    "object_store": "sh bash cat chmod flock minio",
}
LARGEST = {"postgres": 150e6, "redis": 80e6, "object_store": 190e6}
UID = {"postgres": 999, "redis": 999, "object_store": 1000}


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="module", params=["postgres", "redis", "object_store"])
def name(request: pytest.FixtureRequest) -> str:
    images.build([request.param], print)
    return str(request.param)


@pytest.fixture(scope="module")
def image(name: str) -> str:
    return images.local_name(name, recipes.find(name).version)


@pytest.fixture
def run(client: docker.DockerClient) -> Iterator["Runner"]:
    runner = Runner(client)
    yield runner
    runner.remove()


class Runner:
    """Runs containers and removes them, with their volumes, at the end."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client
        self._label = {LABEL: secrets.token_hex(8)}

    def once(self, image: str, script: str, *, root: bool = False) -> str:
        """The output of a shell script in a container as locked down as Strata's are."""
        output = self._client.containers.run(
            image,
            entrypoint=["sh", "-ec", script],
            user="0:0" if root else None,
            labels=self._label,
            remove=True,
            read_only=True,
            cap_drop=["ALL"],
            cap_add=["DAC_READ_SEARCH"] if root else [],
            security_opt=["no-new-privileges"],
            network_mode="none",
        )
        return bytes(output).decode()

    def server(self, image: str, environment: dict[str, str], *command: str) -> Container:
        words, labels = list(command) or None, self._label
        return self._client.containers.run(image, words, environment=environment, labels=labels, detach=True)

    def remove(self) -> None:
        label = f"{LABEL}={self._label[LABEL]}"
        for container in self._client.containers.list(all=True, filters={"label": label}):
            container.remove(force=True, v=True)


def wait_for(container: Container, command: list[str], expected: str) -> None:
    """Polls `command` in the container for `expected` in its output, 30 s long."""
    deadline = time.monotonic() + 30
    output = ""
    while time.monotonic() < deadline:
        try:
            answer = container.exec_run(command).output
            output = answer.decode() if isinstance(answer, bytes) else ""
        except APIError as error:
            output = str(error)
        if expected in output:
            return
        time.sleep(0.1)
    log = bytes(container.logs(tail=20)).decode()
    pytest.fail(f"no {expected!r} within 30 s, last: {output}\n{log}")


def test_it_runs_as_the_official_image_s_user(name: str, image: str, run: Runner) -> None:
    assert run.once(image, "id -u; id -g").split() == [str(UID[name])] * 2


def test_it_contains_what_scripts_and_operators_call(name: str, image: str, run: Runner) -> None:
    missing = run.once(
        image, f"for program in {NEEDED[name]}; do command -v $program > /dev/null || echo $program; done"
    )
    assert missing == ""


def test_its_programs_find_their_libraries(name: str, image: str, run: Runner) -> None:
    folder = {"postgres": "/usr/lib/postgresql/17/bin /usr/lib/postgresql/17/lib"}.get(name, "/usr/bin")
    broken = run.once(image, f"find {folder} -type f | xargs ldd 2> /dev/null | grep 'not found' || :")
    assert broken == ""


def test_it_holds_nothing_that_only_a_build_needs(image: str, run: Runner) -> None:
    tools = "gcc cc make go perl python3 apt-get curl wget debootstrap"
    assert run.once(image, f"for tool in {tools}; do command -v $tool || :; done") == ""
    leftovers = "/var/lib/apt /var/cache/apt /etc/apt /usr/share/locale/* /usr/share/man/* /run/strata-build /tmp/*"
    assert run.once(image, f"ls -d {leftovers} 2> /dev/null || :") == ""


def test_nothing_in_it_can_gain_privileges(image: str, run: Runner) -> None:
    assert run.once(image, "find / -xdev -type f -perm /6000", root=True) == ""


def test_it_tells_nothing_about_the_host_that_built_it(client: docker.DockerClient, image: str) -> None:
    container = client.containers.create(image, command="true", labels={LABEL: "export"})
    try:
        stream, _ = client.api.get_archive(str(container.id), "/etc")
        members = b"".join(stream)
    finally:
        container.remove(v=True)
    assert b"etc/apt/sources.list" not in members, "the address of the host's mirror would be in the image"
    assert b"_proxy" not in members


def test_it_is_small(name: str, image: str, client: docker.DockerClient) -> None:
    assert client.images.get(image).attrs["Size"] < LARGEST[name]


def test_docker_records_what_the_recipe_says(name: str, image: str, client: docker.DockerClient) -> None:
    attributes = client.images.get(image).attrs
    recipe = recipes.find(name)
    assert attributes["Config"]["Labels"] == {"strata.image": name}
    recorded = {key: attributes["Config"][key] for key in recipe.config}
    assert recorded == recipe.config, "without StopSignal, Postgres would wait for its clients instead of stopping"
    assert len(attributes["RootFS"]["Layers"]) == 1


def test_it_is_listed_and_not_missing(name: str, image: str) -> None:
    assert images.missing([name]) == []
    listed = {entry.image: entry for entry in images.list_images()}
    assert listed[image].wanted
    assert listed[image].size


def test_a_plain_run_of_postgres_takes_the_official_variables(run: Runner) -> None:
    images.build(["postgres"], print)
    environment = {"POSTGRES_PASSWORD": "one", "POSTGRES_USER": "me", "POSTGRES_DB": 'an "odd" name'}
    server = run.server(images.local_name("postgres", "17"), environment)

    def query(password: str) -> list[str]:
        url = "host=127.0.0.1 user=me dbname='an \"odd\" name'"
        sql = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = current_database()"
        return ["env", f"PGPASSWORD={password}", "psql", url, "-Atc", sql]

    wait_for(server, query("one"), "bC.UTF-8")
    refused = server.exec_run(query("two"))
    assert refused.exit_code != 0
    assert b"password authentication failed" in refused.output


def test_postgres_without_a_password_is_refused_with_the_variable_to_set(run: Runner) -> None:
    images.build(["postgres"], print)
    server = run.server(images.local_name("postgres", "17"), {})
    assert server.wait(timeout=30)["StatusCode"] == 1
    assert b"set POSTGRES_PASSWORD_FILE" in bytes(server.logs())


def test_a_plain_run_of_redis_answers(run: Runner) -> None:
    images.build(["redis"], print)
    server = run.server(images.local_name("redis", "8"), {})
    wait_for(server, ["redis-cli", "ping"], "PONG")


def test_a_plain_run_of_minio_takes_the_official_variables(run: Runner) -> None:
    images.build(["object_store"], print)
    environment = {"MINIO_ROOT_USER": "somebody", "MINIO_ROOT_PASSWORD": "a-password"}
    server = run.server(images.local_name("object_store", "2026"), environment, "server", "/data")
    healthy = f"{HEALTHCHECKS['object_store'][-1]} && echo healthy"
    wait_for(server, ["bash", "-c", healthy], "healthy")
    assert b"minioadmin" not in bytes(server.logs()), "the variables were not taken"
