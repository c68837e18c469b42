"""The documents' commands, with credentials added, run where the documents run them: in the servers' containers.

The README of each application has a table of which command changed, and why.
"""

from typing import Final

import pytest

from infra.contract import BackendName, StackContract
from tests.smoke import carriers
from tests.smoke.applications.conftest import HandOut

PSQL: Final = ["psql", "-XtA", "-h", "localhost"]
VERSION: Final = "SELECT version()"
CASES: Final = [
    ("assistant", "postgres", ["pg_isready", "-h", "127.0.0.1"], "accepting connections"),
    ("assistant", "redis", ["redis-cli", "ping"], "PONG"),
    ("trends", "postgres", [*PSQL, "-U", "trend_user", "-d", "trends", "-c", VERSION], "PostgreSQL 17"),
    ("trends", "redis", ["redis-cli", "ping"], "PONG"),
    ("praval", "postgres", [*PSQL, "-U", "praval", "-d", "praval", "-c", VERSION], "PostgreSQL 17"),
    ("praval", "redis", ["redis-cli", "ping"], "PONG"),
    ("saiki", "postgres", [*PSQL, "-U", "saiki_user", "-d", "saiki", "-c", VERSION], "PostgreSQL 17"),
    ("saiki", "redis", ["redis-cli", "--user", "saiki", "ping"], "PONG"),
]


@pytest.mark.parametrize(
    ("application", "backend", "command", "answer"),
    [pytest.param(*case, id=f"{case[0]}-{case[2][0]}", marks=pytest.mark.application(case[0])) for case in CASES],
)
def test_a_command_of_the_document_answers(
    contract: StackContract,
    hand_out: HandOut,
    application: str,
    backend: BackendName,
    command: list[str],
    answer: str,
) -> None:
    server, env = contract.server(application, backend), hand_out(application).env
    assert server
    passwords = {
        "PGPASSWORD": env.get("POSTGRES_PASSWORD", env.get("DATABASE_PASSWORD", "")),
        "REDISCLI_AUTH": contract.credentials[application].model_dump()["redis"]["password"].get_secret_value(),
    }
    if backend == "redis" and server.ca is not None:
        command = [*command[:1], "--tls", "--cacert", "/run/strata/secrets/ca.crt", *command[1:]]
    code, said = carriers.of(server).run(command, passwords)
    assert (code, answer in said) == (0, True), said
