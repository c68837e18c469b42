"""Which smoke tests run when, and what `up` says when they fail: with outputs from a stand-in for shared state."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.errors import CliError
from cli.smoke import prepared
from infra.workspace import Workspace
from tests.unit import contracts

ROOT = Path(__file__).parents[2]
CLOSED_PORT = 1


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A production stack in shared state, whose servers do not answer."""
    outputs: dict[str, Any] = contracts.outputs() | {"stage": "production"}
    for backend in outputs["backends"].values():
        backend["views"]["host"]["port"] = CLOSED_PORT
    (tmp_path / "outputs.json").write_text(json.dumps(outputs))
    stand_in = tmp_path / "pulumi"
    stand_in.write_text(f'#!/bin/sh\n[ "$1 $2" = "stack output" ] && cat {tmp_path}/outputs.json\n')
    stand_in.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "PYTEST_"))}
    return {**kept, "PULUMI_BACKEND_URL": "s3://states", "PATH": f"{tmp_path}:/usr/bin:/bin"}


def run_pytest(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--collect-only", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False)


def test_they_are_left_out_of_a_plain_run_and_that_is_said(environ: dict[str, str]) -> None:
    done = run_pytest(environ, "tests/smoke", "tests/unit/test_contract.py")
    assert done.returncode == 0, done.stdout
    assert "tests/smoke was left out" in done.stdout
    assert "tests/smoke/" not in done.stdout.replace("tests/smoke was", "")


def test_alone_they_ask_for_the_stack(environ: dict[str, str]) -> None:
    done = run_pytest(environ, "tests/smoke")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "say which stack to validate: pytest tests/smoke --stack dev" in done.stderr


def test_those_that_disturb_run_only_when_asked_for(environ: dict[str, str]) -> None:
    done = run_pytest(environ, "tests/smoke", "--stack", "prod")
    assert done.returncode == 0, done.stdout
    assert "test_a_session_is_the_applications_own" in done.stdout
    assert "test_durability" not in done.stdout


def test_production_is_never_disturbed(environ: dict[str, str]) -> None:
    done = run_pytest(environ, "tests/smoke", "--stack", "prod", "--disruptive")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "is production; nothing was run" in done.stderr


def test_a_stack_that_cannot_be_read_is_one_error(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "outputs.json").write_text("{}")
    done = run_pytest(environ, "tests/smoke", "--stack", "prod")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert done.stderr.count("ERROR") == 1
    assert "the stack `prod` has no outputs" in done.stderr


def test_a_failure_shows_the_report_and_how_to_run_it_again(environ: dict[str, str], tmp_path: Path) -> None:
    workspace = Workspace(root=ROOT, project="strata", stack="prod", backend_url="s3://states", environ=environ)
    outputs = json.loads((tmp_path / "outputs.json").read_text())
    with prepared(workspace) as checks, pytest.raises(CliError) as caught:
        checks.run(outputs)
    text = str(caught.value)
    assert "pytest tests/smoke --stack prod" in text
    assert "refused" in text
    assert contracts.PASSWORD not in text
