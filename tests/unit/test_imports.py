"""What is loaded when: the command, the program and its dynamic providers each import for themselves, in every plan."""

import subprocess
import sys

import pytest

CLIENTS = {"boto3", "docker", "minio", "psycopg", "redis", "requests"}  # longer to import than all of the project


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        pytest.param(
            "infra.stack, infra.platforms, components.docker.platform", {*CLIENTS, "pulumi_aws"}, id="the program"
        ),
        pytest.param("infra.settings, infra.platforms", {*CLIENTS, "pulumi", "pulumi_aws"}, id="the settings"),
        pytest.param("cli.main", {*CLIENTS, "pulumi", "grpc"}, id="the command"),
    ],
)
def test_nothing_loads_what_it_may_never_use(modules: str, heavy: set[str]) -> None:
    script = f"import sys, {modules}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert heavy & set(loaded) == set()
