"""The cluster, and a namespace for each module of tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.access import Access, cluster_for_tests
from tests.cluster.cluster import Cluster
from tests.cluster.home import Home
from tests.cluster.kubectl import Kubectl

FOLDERS = tuple(Path(__file__).parent / name for name in ("conformance", "engine", "operation", "platform", "reach"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in FOLDERS):
            item.add_marker(pytest.mark.cluster)


@pytest.fixture(scope="session")
def access() -> Iterator[Access]:
    with cluster_for_tests(Home.of_user(), print) as found:
        yield found


@pytest.fixture(scope="session")
def built(access: Access) -> Cluster:
    """The cluster where it is one of ours, whose parts can be stopped."""
    if access.built is None:
        pytest.skip("the cluster at hand was not made by tests.cluster: its programs can't be stopped from here")
    return access.built


@pytest.fixture(scope="session")
def nodes(access: Access) -> list[str]:
    """The names of the nodes that take pods."""
    return [
        node["metadata"]["name"]
        for node in access.kubectl.get("nodes")["items"]
        if not any(taint["effect"] == "NoSchedule" for taint in node["spec"].get("taints", []))
    ]


@pytest.fixture(scope="module")
def kubectl(access: Access) -> Iterator[Kubectl]:
    """kubectl in a namespace of the module's own."""
    with access.kubectl.new_namespace() as kubectl:
        yield kubectl
