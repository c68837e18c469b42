"""Claims are data: they grow by a setting, never shrink, and outlive the stack."""

import pytest

from tests.cluster.kubectl import eventually
from tests.cluster.platform.project import STORAGE, ClusterProject


@pytest.fixture
def up(project: ClusterProject) -> ClusterProject:
    project.up().succeeded()
    return project


def test_a_larger_storage_grows_the_volume_under_the_running_pod(up: ClusterProject) -> None:
    before = up.kubectl.get("pod", "redis-0")["metadata"]["uid"]
    up.set("redis.storage", "2Gi")
    up.up().succeeded()

    def problem() -> str | None:
        capacity = up.kubectl.get("pvc", "data-redis-0")["status"]["capacity"]["storage"]
        blocks = up.kubectl.sh("redis-0", "df -Pk /data | tail -1").split()[1]
        return None if capacity == "2Gi" and int(blocks) > 1900 * 1024 else f"{capacity}, {blocks} kB"

    eventually(problem)
    assert up.kubectl.get("pod", "redis-0")["metadata"]["uid"] == before, "the pod was replaced"
    up.set("redis.storage", "1Gi")
    up.run("preview").refused("no volume shrinks", "strata:redis.storage")
    up.up().refused("no volume shrinks")


def test_a_class_that_can_t_grow_is_refused_before_anything_is_touched(project: ClusterProject) -> None:
    project.config["strata:platform"]["storage"] = {"kind": "existing", "name": "fixed"}
    project.config.pop("strata:guarantees")
    project.write()
    project.up().succeeded()
    project.set("redis.storage", "2Gi")
    project.set("postgres.max_connections", 70)
    project.up().refused("allowVolumeExpansion", "`fixed`", "strata:redis.storage")
    arguments = project.kubectl.get("statefulset", "db-postgres")["spec"]["template"]["spec"]["containers"][0][
        "command"
    ]
    assert "max_connections=60" in arguments, "a part of the refused change was carried out"


def test_a_class_that_is_not_there_is_refused(project: ClusterProject) -> None:
    project.config["strata:platform"]["storage"] = {**STORAGE, "name": "gold"}
    project.write()
    project.up().refused("there is no StorageClass `gold`", "standard")


def test_destroy_keeps_claims_and_the_next_up_finds_the_data(up: ClusterProject) -> None:
    up.kubectl.sh("db-postgres-0", "psql -U postgres -d saiki -c 'CREATE TABLE kept AS SELECT 42 AS n'")
    up.destroy().succeeded()
    assert up.kubectl.get("pods")["items"] == []
    assert {c["metadata"]["name"] for c in up.kubectl.get("pvc")["items"]} >= {"data-db-postgres-0", "data-redis-0"}
    up.up().succeeded()
    assert "42" in up.kubectl.sh("db-postgres-0", "psql -U postgres -d saiki -Atc 'SELECT n FROM kept'")
