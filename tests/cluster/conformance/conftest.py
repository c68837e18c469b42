"""The cluster, and a namespace for each module of tests."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cluster.access import Access, cluster_for_tests
from tests.cluster.cluster import Cluster
from tests.cluster.home import Home
from tests.cluster.kubectl import Kubectl

FOLDER = Path(__file__).parent
# Restarting the cluster ends the pods of all others.
LAST = "test_restart.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(FOLDER):
            item.add_marker(pytest.mark.cluster)
    items.sort(key=lambda item: item.path.name == LAST)


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
    with new_namespace(access) as kubectl:
        yield kubectl


@contextmanager
def new_namespace(access: Access, **labels: str) -> Iterator[Kubectl]:
    name = f"test-{uuid.uuid4().hex[:8]}"
    access.kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    try:
        yield replace(access.kubectl, namespace=name)
    finally:
        access.kubectl("delete", "namespace", name, "--wait=false")
