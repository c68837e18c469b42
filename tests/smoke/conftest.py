"""Smoke tests validate a deployed stack through its contract: `pytest tests/smoke --stack NAME [--disruptive]`.

They know no engine and no platform. Without --stack they are left out, so that a plain `pytest` is not full of skips.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
import yaml

from components import trust
from infra import config_files
from infra.access import reached
from infra.contract import StackContract
from infra.reader import ContractError, load_from, parse
from infra.rendering import Renderer
from infra.workspace import WorkspaceError, find
from tests.smoke import clients
from tests.smoke.alfred import CLAIM

# Where clients look for authorities: OpenSSL's, httpx and redis-py; boto3; gRPC.
TRUSTED = ("SSL_CERT_FILE", "AWS_CA_BUNDLE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH")
HERE = Path(__file__).parent
CONTRACT = pytest.StashKey[StackContract]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("smoke tests")
    group.addoption("--stack", help="the deployed stack that tests/smoke validates")
    group.addoption("--outputs-on-stdin", action="store_true", help="its outputs come as JSON, as from `strata up`")
    group.addoption("--disruptive", action="store_true", help="also restart and kill backends (not in production)")


def pytest_configure(config: pytest.Config) -> None:
    """Whoever asks for nothing but these tests must say for which stack."""
    asked = [Path(config.invocation_params.dir, str(arg).partition("::")[0]).resolve() for arg in config.args]
    if not _stack(config) and asked and all(HERE in (path, *path.parents) for path in asked):
        raise pytest.UsageError("say which stack to validate: pytest tests/smoke --stack dev")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return True if not _stack(config) and HERE in (collection_path, *collection_path.parents) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    own = [item for item in items if HERE in item.path.parents]
    for item in own:
        item.add_marker(pytest.mark.smoke)
    disruptive = [item for item in own if item.get_closest_marker("disruptive")]
    if not config.getoption("disruptive", default=False):
        config.hook.pytest_deselected(items=disruptive)
        items[:] = [item for item in items if item not in disruptive]
    elif disruptive and _contract(config).stage == "production":
        raise pytest.UsageError(f"--disruptive: the stage of the stack {_stack(config)} is production; nothing was run")
    if own:
        _leave_out_absent_applications(config, own, items)


def _leave_out_absent_applications(config: pytest.Config, own: list[pytest.Item], items: list[pytest.Item]) -> None:
    """Reads the contract, too: one error for a stack that cannot be read, not one per test."""
    applications = _contract(config).applications
    absent = [i for i in own if (m := i.get_closest_marker("application")) and m.args[0] not in applications]
    config.hook.pytest_deselected(items=absent)
    items[:] = [item for item in items if item not in absent]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not _stack(config):
        terminalreporter.write_line("tests/smoke was left out: it validates a deployed stack (--stack NAME)")


@pytest.fixture(scope="session")
def stack(pytestconfig: pytest.Config) -> str:
    name = _stack(pytestconfig)
    assert name
    return name


@pytest.fixture(scope="session")
def contract(pytestconfig: pytest.Config) -> StackContract:
    return _contract(pytestconfig)


@pytest.fixture(scope="session", autouse=True)
def ways_in(request: pytest.FixtureRequest) -> None:
    """Backends of a cluster, at the ports of this machine that the applications' files name.

    Where they speak TLS, clients find the stack's authority, and no other, as README tells applications to.
    """
    for server in request.getfixturevalue("contract").servers.values() if _stack(request.config) else ():
        if view := server.views.get("host"):
            reached(view)
            if view.grpc_port is not None:
                reached(view, grpc=True)
        if server.ca:
            os.environ.update(dict.fromkeys(TRUSTED, str(trust.ca_file(server.ca))))


@pytest.fixture(scope="session")
def alfred_session(contract: StackContract) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """One for all tests: that of a login costs the server more than most tests do."""
    with clients.postgres(contract, "alfred") as connection:
        yield connection


@pytest.fixture
def alfred_postgres(
    alfred_session: psycopg.Connection[tuple[object, ...]],
) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Alfred's own login, in a transaction. What a test does in it, roles included, is rolled back."""
    yield alfred_session
    alfred_session.rollback()


@pytest.fixture(scope="session")
def alfred_file(
    contract: StackContract, stack: str, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Alfred's env file, rendered anew beside the one that `up` wrote."""
    templates = yaml.safe_load((pytestconfig.rootpath / CLAIM).read_text(encoding="utf-8"))["config"]
    values = Renderer(contract, stack=stack, app="alfred", view="host").variables(templates, file=str(CLAIM))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        path = config_files.path(stack, "alfred", "env")
        return config_files.write(path, config_files.to_text(values, "env", header="smoke"))


@pytest.fixture
def alfred_redis(contract: StackContract) -> Iterator["redis.Redis"]:
    with clients.redis_client(contract, "alfred") as client:
        yield client


def _stack(config: pytest.Config) -> str | None:
    # Unknown to pytest where this file was loaded too late to add its options: then nobody has given one.
    name: str | None = config.getoption("stack", default=None)
    return name


def _contract(config: pytest.Config) -> StackContract:
    """Read once per run: opening the state's secrets takes a while."""
    if CONTRACT not in config.stash:
        try:
            config.stash[CONTRACT] = _read_contract(config)
        except (ContractError, WorkspaceError) as error:
            raise pytest.UsageError(str(error)) from None
    return config.stash[CONTRACT]


def _read_contract(config: pytest.Config) -> StackContract:
    workspace = find(_stack(config) or "", start=config.invocation_params.dir)
    if config.getoption("outputs_on_stdin", default=False):
        with open(0, encoding="utf-8", closefd=False) as stdin:  # sys.stdin is pytest's by now
            return parse(json.load(stdin), workspace)
    return load_from(workspace)
