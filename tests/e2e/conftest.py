"""One stack per module that changes it; the machine is left as it was found."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A stack that nobody has deployed yet."""
    made = Project.make(tmp_path / "checkout")
    yield made
    made.remove()


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A stack that is up. Tests of a module share it and leave it up."""
    made = Project.make(tmp_path_factory.mktemp("e2e") / "checkout")
    try:
        made.up().succeeded()
        yield made
    finally:
        made.remove()
