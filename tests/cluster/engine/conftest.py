from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import providers
from tests.cluster.access import Access
from tests.cluster.engine.bench import Bench
from tests.cluster.kubectl import Kubectl
from tests.engine.cloud import Cloud
from tests.engine.stack import Stack


@pytest.fixture
def bench(access: Access, kubectl: Kubectl) -> Iterator[Bench]:
    bench = Bench(kubectl, access.image)
    yield bench
    bench.provider.close()


@pytest.fixture
def stack(access: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A program's stack, whose cluster is the one at hand."""
    monkeypatch.setenv("KUBECONFIG", str(access.kubectl.kubeconfig))
    cloud = Cloud(tmp_path / "cloud")
    monkeypatch.setitem(providers.OPENERS, "test", lambda host: cloud)
    return Stack.make(tmp_path, cloud)
