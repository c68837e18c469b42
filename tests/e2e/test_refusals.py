"""Mistakes and accidents: one clear error, a non-zero exit, nothing half-applied left unsaid."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.e2e.project import Project, containers, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.docker]


@pytest.fixture
def untouched(project: Project) -> Iterator[Project]:
    """A stack of which nothing may exist when the test ends."""
    yield project
    assert containers(project.stack) == [], "a refused `up` made containers"


def test_an_unknown_key_is_named_before_anything_exists(untouched: Project) -> None:
    untouched.set("postgres.memroy", "1Gi")
    untouched.up().refused(f"Pulumi.{untouched.stack}.yaml", "strata:postgres.memroy", "Did you mean `memory`?")


def test_a_malformed_application_is_named(untouched: Project) -> None:
    (untouched.root / "applications" / "alfred" / "application.yaml").write_text("name: [\n")
    untouched.up().refused("applications/alfred/application.yaml is not YAML")


def test_a_cluster_that_is_not_there_is_named(untouched: Project) -> None:
    untouched.set("platform", {"kind": "kubernetes"})
    untouched.up(KUBECONFIG="/nowhere/kubeconfig").refused("there is no kubeconfig", "/nowhere/kubeconfig")


def test_a_taken_port_names_its_holder_and_the_line_to_change(untouched: Project) -> None:
    with socket.create_server(("127.0.0.1", untouched.get("postgres.port"))):
        untouched.up().refused(str(untouched.get("postgres.port")), str(os.getpid()), "strata:postgres")


def test_a_dead_daemon_is_named(untouched: Project, tmp_path: Path) -> None:
    missing = f"unix://{tmp_path}/docker.sock"
    untouched.up(DOCKER_HOST=missing).refused(missing)


def test_a_container_of_someone_else_is_not_touched(project: Project) -> None:
    client = docker.from_env()
    image = next(i for i in client.images.list() if any(t.startswith("localhost/strata-redis") for t in i.tags))
    name = f"{project.stack}-redis"
    other = client.containers.create(image, ["true"], name=name)
    try:
        project.up().refused(name, "docker rm")
        assert client.containers.get(name).id == other.id
        assert project.ids() == {}
    finally:
        other.remove(force=True)


def test_broken_sql_names_the_file_and_leaves_a_true_state(project: Project) -> None:
    folder = project.root / "applications" / "alfred" / "migrations"
    last = sorted(folder.glob("*.sql"))[-1]
    broken = folder / f"{int(last.name[:4]) + 1:04}_broken.sql"
    broken.write_text("CREATE TABLE storage.extra (id int);\nSELEKT 1;\n")
    project.up().refused(broken.name, "SELEKT")
    assert json.loads(project.state_file.read_text())["checkpoint"]["latest"].get("pending_operations", []) == []
    broken.write_text("CREATE TABLE storage.extra (id int);\n")
    project.up().succeeded()
    with project.database() as connection:
        connection.execute("SET ROLE service_role")
        assert connection.execute("SELECT to_regclass('storage.extra') IS NOT NULL").fetchone() == (True,)


def test_an_edited_migration_is_refused_by_name_before_any_change(deployed: Project) -> None:
    path = sorted((deployed.root / "applications" / "alfred" / "migrations").glob("*.sql"))[0]
    text = path.read_text()
    before = deployed.state_file.read_bytes()
    path.write_text(text + "\n-- edited\n")
    try:
        deployed.up().refused(path.name)
        assert deployed.state_file.read_bytes() == before
    finally:
        path.write_text(text)


def test_a_wrong_passphrase_is_named(deployed: Project) -> None:
    before = deployed.state_file.read_bytes()
    deployed.up(PULUMI_CONFIG_PASSPHRASE="not it").refused("incorrect passphrase")
    assert deployed.state_file.read_bytes() == before


def test_the_second_of_two_ups_names_the_holder(deployed: Project) -> None:
    deployed.set("redis.memory", "288Mi")
    first = deployed.start("up", "--yes")
    try:
        eventually("the first holds the lock", lambda: lock_files(deployed), seconds=60)
        deployed.up().refused(str(os.getpgid(first.pid)))
    finally:
        text, _ = first.communicate(timeout=300)
    assert first.returncode == 0, text


def lock_files(project: Project) -> list[Path]:
    return list((project.state_home / "strata" / ".pulumi" / "locks").rglob("*.json"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    mount = tmp_path / "small"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(mount)], check=True)
    yield mount
    subprocess.run(["umount", str(mount)], check=True)


def test_a_full_disk_is_named(untouched: Project, small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(b"x" * 48 * 1024)
    untouched.up(XDG_STATE_HOME=str(small_disk)).refused("No space left on device")
