"""A volume that is full, as `strata verify` sees it: a small one of memory, in a container as a backend's is."""

import secrets
from collections.abc import Iterator

import docker
import pytest

import images
from infra.checks import disks
from infra.checks.reach import FailedError
from infra.contract import Backend
from tests.unit import contracts

pytestmark = pytest.mark.docker


@pytest.fixture
def server() -> Iterator[Backend]:
    name, client = f"verify-{secrets.token_hex(4)}", docker.from_env()
    options = {"type": "tmpfs", "device": "tmpfs", "o": "size=4m"}
    volume = client.volumes.create(f"{name}-data", driver_opts=options)
    container = client.containers.run(
        images.local_name("redis", "8"),
        entrypoint=["sleep", "600"],
        name=name,
        detach=True,
        network_mode="none",
        volumes={volume.name: {"bind": "/data"}},
    )
    try:
        described = contracts.outputs()["backends"]["redis"]
        yield Backend.model_validate({**described, "runtime": {"kind": "docker", "container": name}})
    finally:
        container.remove(force=True, v=True)
        volume.remove(force=True)
        client.close()


def test_a_full_volume_is_said_before_writers_fail(server: Backend) -> None:
    assert "/data is 0 % full" in disks.room(server)
    assert server.runtime
    container = docker.from_env().containers.get(server.runtime.container)
    filled, output = container.exec_run(["dd", "if=/dev/zero", "of=/data/file", "bs=1k", "count=3800"], user="0")
    assert filled == 0, output
    with pytest.raises(FailedError, match=r"/data is 9\d % full") as full:
        disks.room(server)
    assert "larger disk" in full.value.hint


def test_a_container_that_is_gone_is_named(server: Backend) -> None:
    assert server.runtime
    gone = server.model_copy(update={"runtime": server.runtime.model_copy(update={"container": "verify-gone"})})
    with pytest.raises(FailedError, match="the container verify-gone does not exist"):
        disks.room(gone)
