"""Compose starts the same containers: else the comparison would say nothing."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bench import compose_file
from bench.compose_binary import Release, choose, parse_version
from bench.compose_file import Part
from bench.errors import BenchError
from components import scripts
from components.workloads import object_store, postgres, qdrant, redis
from components.workloads.workload import Workload
from infra import settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def workloads() -> list[Workload]:
    config = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]
    wanted = settings.parse(
        {key.removeprefix("strata:"): value for key, value in config.items()}, file="Pulumi.dev.yaml"
    )
    return [
        postgres.workload(wanted.postgres),
        redis.workload(wanted.redis),
        qdrant.workload(wanted.qdrant),
        object_store.workload(wanted.object_store),
    ]


@pytest.fixture(scope="module")
def document(workloads: list[Workload]) -> dict[str, Any]:
    parts = [
        Part(work=work, image=f"{work.backend}:1", ports={work.port: 10000 + number}, secrets=f"{work.name}-given")
        for number, work in enumerate(workloads)
    ]
    return compose_file.document(parts, compose_file.INTERVAL)


def meant(value: Any) -> Any:
    """What Compose makes of it: `$$` is a dollar, and a single one would be replaced."""
    if isinstance(value, str):
        assert "$" not in value.replace("$$", ""), "Compose would replace this"
        return value.replace("$$", "$")
    return [meant(item) for item in value] if isinstance(value, list) else value


def test_every_container_has_the_same_image_command_and_limits(
    document: dict[str, Any], workloads: list[Workload]
) -> None:
    assert sorted(document["services"]) == sorted(work.name for work in workloads)
    for work in workloads:
        service = document["services"][work.name]
        assert meant(service["entrypoint"]) == ["sh", "-c", scripts.read(work.backend), "strata"]
        assert meant(service["command"]) == list(work.arguments)
        assert service["mem_limit"] == service["memswap_limit"] == work.memory
        assert (service["cpus"], service["shm_size"]) == (work.cpu, work.shm)
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert meant(service["healthcheck"]["test"]) == scripts.HEALTHCHECKS[work.backend]


def test_ports_are_open_to_this_machine_only(document: dict[str, Any]) -> None:
    ports = [port for service in document["services"].values() for port in service["ports"]]
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_secrets_come_from_volumes_and_stand_nowhere(document: dict[str, Any], workloads: list[Workload]) -> None:
    for work in workloads:
        texts = compose_file.secret_files(work, "the-password", "the-key")
        assert set(texts) == set(work.secret_files)
        assert document["volumes"][f"{work.name}-secrets"] == {"name": f"{work.name}-given", "external": True}
    assert "the-password" not in str(document)


def test_a_key_that_data_depends_on_is_not_the_password(workloads: list[Workload]) -> None:
    store = next(work for work in workloads if work.backend == "object_store")
    one, other = (compose_file.secret_files(store, password, "the-key") for password in ("a", "b"))
    assert one["encryption-key"] == other["encryption-key"]
    assert one["root"] != other["root"]


def test_compose_gets_the_fastest_probe_that_the_engine_can_carry_out() -> None:
    assert compose_file.probe((20, 10, 24))["interval"] == "1s"
    assert compose_file.probe((28, 2, 2))["start_interval"] == "100ms"


RELEASES = (Release("v2", (1, 24, 9), "h1:2"), Release("v1", (1, 23, 8), "h1:1"))


def test_the_newest_compose_that_this_go_builds_is_taken() -> None:
    assert choose((1, 26, 0), RELEASES).version == "v2"
    assert choose((1, 24, 9), RELEASES).version == "v2"
    assert choose((1, 24, 3), RELEASES).version == "v1"


@pytest.mark.parametrize(("go", "says"), [(None, "there is no Go"), ((1, 19, 8), "Go 1.19.8 is too old")])
def test_without_a_go_that_builds_it_one_is_told_what_to_install(go: tuple[int, int, int] | None, says: str) -> None:
    with pytest.raises(BenchError, match=says) as caught:
        choose(go, RELEASES)
    assert "docker-compose" in str(caught.value)
    assert "1.23.8" in str(caught.value)


def test_versions_are_read_as_the_programs_print_them() -> None:
    assert parse_version("go version go1.24.3 linux/amd64") == (1, 24, 3)
    assert parse_version("go version go1.25 linux/amd64") == (1, 25, 0)
    assert parse_version("2.40.3\n") == (2, 40, 3)
    assert parse_version("") is None
