"""Fixtures of the engine's tests."""

from pathlib import Path

import pytest

from engine import providers
from tests.engine.cloud import Cloud
from tests.engine.direct import Direct
from tests.engine.stack import Stack


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """The provider of package `test`, in this process."""
    cloud = Cloud(tmp_path / "cloud")
    monkeypatch.setitem(providers.OPENERS, "test", lambda host: cloud)
    return cloud


@pytest.fixture
def direct(cloud: Cloud, tmp_path: Path) -> Direct:
    return Direct(cloud, tmp_path)


@pytest.fixture
def stack(cloud: Cloud, tmp_path: Path) -> Stack:
    return Stack.make(tmp_path, cloud)
