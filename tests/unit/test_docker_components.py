"""The posture of every container of the real program, as Pulumi would register it.

Pulumi's mocks stand in for the engine here: nothing is created. What the options do on a daemon is tested in
tests/smoke and tests/e2e.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.runtime import Mocks, mocks

from infra import platforms, settings, stack

ROOT = Path(__file__).parents[2]


class Recorder(Mocks):
    """Records registrations; gives every resource an id and its inputs as outputs."""

    def __init__(self) -> None:
        self.resources: list[mocks.MockResourceArgs] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        self.resources.append(args)
        computed = {
            "imageId": "sha256:1",
            "result": "generated",
            "hex": "0123456789abcdef",
            "identity": "1",
            "version": "1",
            "digest": f"digest of {args.name}",
        }
        return f"{args.name}-id", {**computed, **args.inputs}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], None]:
        raise AssertionError(f"the program calls {args.token}: it must not look anything up")

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        return {r.name: dict(r.inputs) for r in self.resources if r.typ == kind}


@pytest.fixture(scope="module")
def program() -> Iterator[Recorder]:
    recorder = Recorder()
    pulumi.runtime.set_mocks(recorder, project="strata", stack="test", preview=False)
    config = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]
    config["strata:platform"] = {"kind": "docker"}
    config["strata:applications"] = ["alfred", "praval"]  # praval has a Redis of its own
    values = {key.removeprefix("strata:"): value for key, value in config.items()}

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def declare() -> None:
        wanted = settings.parse(values, file="Pulumi.test.yaml")
        applications = settings.read_applications(wanted, ROOT)
        platform = platforms.make(wanted, applications, "strata", "test")
        stack.export(wanted, platform, stack.deploy(wanted, applications, platform, ROOT))

    declare()
    yield recorder
    mocks.set_mocks(Recorder())  # leaves no state of this program to the next test


CONTAINER = "docker:index/container:Container"
VOLUME = "docker:index/volume:Volume"
READY = "pulumi-python:dynamic/strata:Ready"
SECRET_FILE = "pulumi-python:dynamic/strata:SecretFile"


CONTAINERS = [
    "object-store-container",
    "postgres-container",
    "qdrant-container",
    "redis-container",
    "redis-praval-container",
]


@pytest.fixture(params=CONTAINERS)
def container(request: pytest.FixtureRequest, program: Recorder) -> dict[str, Any]:
    return program.of(CONTAINER)[request.param]


def test_every_backend_has_a_container(program: Recorder) -> None:
    assert sorted(program.of(CONTAINER)) == CONTAINERS


def test_ports_are_open_to_this_machine_only(container: dict[str, Any]) -> None:
    assert {port["ip"] for port in container["ports"]} == {"127.0.0.1"}


def test_a_container_has_no_privileges(container: dict[str, Any]) -> None:
    assert container["capabilities"]["drops"] == ["ALL"]
    assert not container["capabilities"].get("adds")
    assert container["securityOpts"] == ["no-new-privileges:true"]
    assert container["readOnly"] is True
    assert container["user"] in ("999:999", "1000:1000"), "root in a container is root on the host's volumes"


def test_limits_hold_without_swap(container: dict[str, Any]) -> None:
    assert container["memory"] == container["memorySwap"] > 0
    assert float(container["cpus"]) > 0


def test_a_stop_is_long_enough_for_a_clean_shutdown(container: dict[str, Any]) -> None:
    assert container["stopTimeout"] >= 60
    assert container["destroyGraceSeconds"] == container["stopTimeout"], "Pulumi's delete would kill at once"


def test_logs_rotate_and_crashes_restart(container: dict[str, Any]) -> None:
    assert container["logOpts"] == {"max-size": "10m", "max-file": "3"}
    assert container["restart"] == "unless-stopped"


def test_no_generated_secret_is_in_a_container(container: dict[str, Any]) -> None:
    assert "generated" not in str(container), "the mock password reached env, argv, a label or a healthcheck"


def test_only_a_secret_that_a_server_takes_at_its_start_replaces_the_container(program: Recorder) -> None:
    labels = {
        name: {label["label"]: label["value"] for label in container["labels"]}.get("strata.secret")
        for name, container in program.of(CONTAINER).items()
    }
    assert labels == {
        "object-store-container": "digest of object-store-root-secret",  # root's old password would stay
        "qdrant-container": "digest of qdrant-api-key-secret",
        "postgres-container": None,  # a rotation would be an outage
        "redis-container": None,
        "redis-praval-container": None,
    }


def test_the_administrator_s_password_is_given_to_the_running_backend(program: Recorder) -> None:
    ready = {name: inputs["credential"] for name, inputs in program.of(READY).items()}
    names = ("object-store", "postgres", "qdrant", "redis", "redis-praval")
    assert ready == {f"{name}-ready": f"digest of {name}-admin-secret" for name in names}


def test_containers_hold_only_what_they_are_started_with(program: Recorder) -> None:
    """Where root makes the administrator, the container has root's secret alone."""
    written = {
        inputs["secret"]: inputs["keep_previous"] for inputs in program.of(SECRET_FILE).values() if inputs.get("volume")
    }
    assert written == {
        "postgres/admin": True,  # without the one before, a running server could be told nothing
        "redis/admin": True,
        "redis-praval/admin": True,
        "object_store/root": False,
        "qdrant/api-key": False,
    }


def test_redis_leaves_memory_for_its_fork(program: Recorder) -> None:
    redis = program.of(CONTAINER)["redis-container"]
    command = redis["command"]
    maxmemory = int(command[command.index("--maxmemory") + 1])
    assert maxmemory == redis["memory"] * 1024 * 1024 * 3 // 4


def test_names_carry_the_prefix_of_any_stack_but_dev(program: Recorder) -> None:
    assert {v["name"] for v in program.of(VOLUME).values()} == {
        "test-db-postgres-data",
        "test-db-postgres-secrets",
        "test-db-storage-data",
        "test-llm-service-data",
        "test-monitoring-dashboard-data",
        "test-monitoring-metrics-data",
        "test-object-store-data",
        "test-object-store-secrets",
        "test-redis-data",
        "test-redis-secrets",
        "test-redis-praval-data",
        "test-redis-praval-secrets",
        "test-vector-db-data",
        "test-vector-db-secrets",
    }


def test_every_physical_object_says_whose_it_is(program: Recorder) -> None:
    for kind in (CONTAINER, VOLUME, "docker:index/network:Network"):
        for name, inputs in program.of(kind).items():
            labels = {label["label"]: label["value"] for label in inputs["labels"]}
            assert labels["strata.stack"] == "strata/test", name
            assert labels["strata.state"] == "0123456789abcdef", name
            assert labels["strata.name"], name
