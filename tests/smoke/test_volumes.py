"""The volumes of applications are there. What is in them is the applications'."""

import docker
import pytest

from infra.contract import StackContract

pytestmark = pytest.mark.quick


def test_the_volumes_of_applications_exist(contract: StackContract, daemon: docker.DockerClient) -> None:
    volumes = [v.name for slices in contract.applications.values() for v in (slices.volumes or {}).values()]
    if not volumes:
        pytest.skip("no application of this stack has volumes")
    known = {str(volume.name) for volume in daemon.volumes.list()}
    assert [name for name in volumes if name not in known] == [], "a container would make an empty one in its place"
