"""What an application owns without a backend: its volumes stay, and its secrets end or stay as they are told."""

from collections.abc import Iterator
from typing import Any

import docker
import pytest
from docker.errors import NotFound

import images
from tests.e2e.project import Project

pytestmark = [pytest.mark.e2e, pytest.mark.docker]

VOLUMES = ("db-storage-data", "llm-service-data", "monitoring-dashboard-data", "monitoring-metrics-data")
MOUNT = "/var/lib/storage"


def inside(volume: str, command: str) -> str:
    """What a container of the application would see of the volume."""
    output: bytes = docker.from_env().containers.run(
        images.local_name("redis", "8"),
        entrypoint=["sh", "-euc", command],
        volumes={volume: {"bind": MOUNT, "mode": "rw"}},
        network_mode="none",
        user="0:0",
        remove=True,
    )
    return output.decode()


def volume(name: str) -> dict[str, Any]:
    attributes: dict[str, Any] = docker.from_env().volumes.get(name).attrs
    return attributes


def applications(project: Project, *names: str) -> None:
    project.config["strata:applications"] = list(names)
    project.write()


def test_they_are_made_with_labels_and_the_configuration_names_them(deployed: Project) -> None:
    variables = deployed.rendered()
    for name in VOLUMES:
        made = volume(f"{deployed.stack}-{name}")
        assert made["Labels"]["strata.stack"] == f"strata/{deployed.stack}"
        assert made["Labels"]["strata.name"] == f"alfred-volumes-{name}"
        assert made["Labels"]["strata.state"]
        assert variables[f"VOLUME_{name.upper().replace('-', '_')}"] == made["Name"]


def test_a_destroy_keeps_them_and_the_next_up_finds_them(deployed: Project) -> None:
    name, before = f"{deployed.stack}-db-storage-data", deployed.rendered()
    inside(name, f"echo kept > {MOUNT}/file")
    gone = deployed.destroy().succeeded()
    for volume_name in VOLUMES:
        assert f"{deployed.stack}-{volume_name}" in gone.text, "destroy must say which data it kept"
    again = deployed.up().succeeded()
    assert "adopted" in again.text
    assert name in again.text
    assert inside(name, f"cat {MOUNT}/file") == "kept\n"
    after = deployed.rendered()
    assert after["ENCRYPTION_KEY"] == before["ENCRYPTION_KEY"], "files that the volume keeps could not be read again"
    for variable in ("PGRST_JWT_SECRET", "ANON_KEY", "SERVICE_ROLE_KEY"):
        assert after[variable] != before[variable], f"{variable} of a destroyed stack is still taken"
    deployed.up("--refresh", "--expect-no-changes").succeeded()
    assert deployed.rendered() == after


def test_an_application_that_is_removed_leaves_them_and_that_is_said(deployed: Project) -> None:
    name = f"{deployed.stack}-llm-service-data"
    inside(name, f"echo model > {MOUNT}/model")
    key = deployed.rendered()["ENCRYPTION_KEY"]
    applications(deployed)
    text = deployed.up().succeeded().text
    names = [f"{deployed.stack}-{volume_name}" for volume_name in VOLUMES]
    assert f"No longer part of the stack, and kept with their data: the volumes {', '.join(names)}." in text
    assert f"docker volume rm {' '.join(names)}" in text
    applications(deployed, "alfred")
    again = deployed.up().succeeded().text
    assert "No longer part" not in again
    assert inside(name, f"cat {MOUNT}/model") == "model\n"
    assert deployed.rendered()["ENCRYPTION_KEY"] == key


def test_a_rotated_secret_ends_its_tokens_and_touches_nothing_else(deployed: Project) -> None:
    before, ids = deployed.rendered(), deployed.ids()
    path = deployed.root / "applications" / "alfred" / "application.yaml"
    path.write_text(path.read_text().replace("  jwt_secret: {}", "  jwt_secret: { rotation: 2 }"))
    deployed.up().succeeded()
    after = deployed.rendered()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"PGRST_JWT_SECRET", "DB_JWT_SECRET", "ANON_KEY", "SERVICE_KEY", "SERVICE_ROLE_KEY"}
    assert deployed.ids() == ids


def test_a_destroy_deletes_the_one_that_is_named(deployed: Project) -> None:
    doomed, kept = f"{deployed.stack}-monitoring-metrics-data", f"{deployed.stack}-db-storage-data"
    deployed.run("destroy", "--yes", "--delete-data", "monitoring-metrics-data").refused(doomed, kept)
    gone = deployed.run("destroy", "--yes", "--delete-data", doomed).succeeded()
    assert f"Deleted for good: the volumes {doomed}" in gone.text
    with pytest.raises(NotFound):
        volume(doomed)
    assert inside(kept, f"cat {MOUNT}/file") == "kept\n"
    deployed.up().succeeded()
    assert volume(doomed)


@pytest.fixture
def foreign(project: Project) -> Iterator[str]:
    """A volume of somebody else, under the name of one of Alfred's."""
    name = f"{project.stack}-db-storage-data"
    docker.from_env().volumes.create(name)
    inside(name, f"echo theirs > {MOUNT}/file")
    yield name
    project.remove()  # the containers first: they may use it
    docker.from_env().volumes.get(name).remove(force=True)


def test_a_volume_of_somebody_else_is_adopted_with_its_data_and_that_is_said(project: Project, foreign: str) -> None:
    """As for the data volumes of backends: its data is never emptied, and neither is it deleted unasked."""
    applications(project)
    project.up().succeeded()
    applications(project, "alfred")
    text = project.up().succeeded().text  # not the first one of the stack
    assert f"Volumes of an earlier state were adopted with their data: {foreign}." in text
    assert "adopted" not in project.up("--expect-no-changes").succeeded().text, "it was said before"
    assert inside(foreign, f"cat {MOUNT}/file") == "theirs\n"
    assert foreign in project.destroy().succeeded().text
    assert inside(foreign, f"cat {MOUNT}/file") == "theirs\n"
