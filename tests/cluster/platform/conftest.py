"""A stack that is up on the cluster, for all tests of this folder."""

from collections.abc import Iterator

import pytest

import images
from tests.cluster.access import Access
from tests.cluster.platform.project import ClusterProject

APPLICATIONS = ["alfred", "assistant", "praval", "saiki", "trends"]


@pytest.fixture(scope="session")
def loaded(access: Access) -> None:
    """The local images, on every node. Somebody else's cluster has them already, or the pods say so."""
    if access.built is not None:
        versions = {"postgres": "17", "redis": "8", "qdrant": "1", "object_store": "2026"}
        access.built.load([images.local_name(name, version) for name, version in versions.items()])


@pytest.fixture(scope="session")
def stack(access: Access, loaded: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterProject]:
    """All five applications. Tests leave it up, and as they found it."""
    project = ClusterProject.on(tmp_path_factory.mktemp("platform") / "checkout", access.kubectl, APPLICATIONS)
    try:
        project.run("up", "--yes").succeeded()
        yield project
    finally:
        project.remove()


@pytest.fixture
def project(access: Access, loaded: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterProject]:
    """A stack of one application that nobody has deployed yet."""
    made = ClusterProject.on(tmp_path_factory.mktemp("platform") / "checkout", access.kubectl, ["saiki"])
    yield made
    made.remove()
