"""Each application is given its files, and its tests know nothing else of the stack."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from cli.config import Place, write_files
from components.claims import Application
from infra.contract import StackContract
from infra.workspace import find
from tests.smoke.applications.files import Files
from tests.smoke.applications.sessions import Pool, Session

HandOut = Callable[..., Files]


@pytest.fixture(scope="session")
def hand_out(
    contract: StackContract, stack: str, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> HandOut:
    """`hand_out(application, placeholders=False)`: its folder, as `strata config APP --out FOLDER` fills it."""
    workspace = find(stack, start=pytestconfig.invocation_params.dir)

    @cache
    def made(application: str, *, placeholders: bool = False) -> Files:
        file = Path("applications", application, "application.yaml")
        claim = Application.model_validate(yaml.safe_load((workspace.root / file).read_text(encoding="utf-8")))
        folder = tmp_path_factory.mktemp(application)
        write_files(workspace, contract, claim, ["env"], Place("host", folder, placeholders))
        return Files(folder)

    return made


@pytest.fixture
def session(pool: Pool) -> Iterator[Session]:
    """Of the module's own `pool`, in a transaction that is rolled back."""
    with pool.connection() as connection:
        yield connection
        connection.rollback()
