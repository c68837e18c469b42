from collections.abc import Iterator

import pytest

from tests.cluster.access import Access
from tests.cluster.engine.bench import Bench
from tests.cluster.kubectl import Kubectl


@pytest.fixture
def bench(access: Access, kubectl: Kubectl) -> Iterator[Bench]:
    bench = Bench(kubectl, access.image)
    yield bench
    bench.provider.close()
