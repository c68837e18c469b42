"""The volumes of applications are there. What is in them is the applications'."""

import contextlib

import docker
import pytest

from components.slices.cluster import cluster
from infra.contract import DockerRuntime, KubernetesRuntime, StackContract

pytestmark = pytest.mark.quick


def test_the_volumes_of_applications_exist(contract: StackContract) -> None:
    volumes = [v.name for slices in contract.applications.values() for v in (slices.volumes or {}).values()]
    if not volumes:
        pytest.skip("no application of this stack has volumes")
    missing = set(volumes) - known(contract)
    assert missing == set(), "a container would make an empty one in its place"


def known(contract: StackContract) -> set[str]:
    """Names of volumes, or of claims in a cluster."""
    runtimes = [server.runtime for server in contract.servers.values()]
    for runtime in runtimes:
        if isinstance(runtime, DockerRuntime):
            with contextlib.closing(daemon(runtime)) as client:
                return {str(volume.name) for volume in client.volumes.list()}
        if isinstance(runtime, KubernetesRuntime):
            with cluster(runtime.context) as api:
                return {str(claim["metadata"]["name"]) for claim in api.items("/api/v1/persistentvolumeclaims")}
    pytest.skip("the contract does not name what runs its backends")


def daemon(runtime: DockerRuntime) -> docker.DockerClient:
    return docker.DockerClient(base_url=runtime.docker_host) if runtime.docker_host else docker.from_env()
