"""Backends of a cluster as they are reached from outside: through its API, with the kubeconfig of the tests."""

from collections.abc import Iterator

import pytest

from components.slices import forward
from tests.cluster.access import Access


@pytest.fixture(autouse=True)
def kubeconfig(access: Access, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("KUBECONFIG", str(access.kubectl.kubeconfig))
    yield
    forward.close()
