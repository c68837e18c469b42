"""The workflows of GitHub Actions: what they call exists, what they use is pinned, and a fork gets no right nor secret.

`make lint` has zizmor look at them, too.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TEXTS = {file.name: file.read_text(encoding="utf-8") for file in FILES}


def workflow(name: str) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(TEXTS[name])
    return found


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in workflow(name)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("name", TEXTS)
def test_every_action_is_pinned_to_a_commit_and_says_its_version(name: str) -> None:
    used = re.findall(r"uses: (.+)", TEXTS[name])
    assert used
    assert [use for use in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use)] == []


@pytest.mark.parametrize("name", TEXTS)
def test_rights_are_given_to_jobs_and_time_is_limited(name: str) -> None:
    assert workflow(name)["permissions"] == {}
    for job in workflow(name)["jobs"].values():
        assert job["permissions"]
        assert job["timeout-minutes"]


def test_code_of_a_pull_request_may_read_the_repository_and_nothing_else() -> None:
    found = workflow("pull-request.yml")
    assert list(found[True]) == ["pull_request"], "`pull_request_target` would hand a fork the repository's rights"
    assert "secrets." not in TEXTS["pull-request.yml"]
    for name, job in found["jobs"].items():
        runs_its_code = any("checkout" in step.get("uses", "") for step in job["steps"])
        assert runs_its_code == (job["permissions"] == {"contents": "read"}), name
        if not runs_its_code:
            assert "head.repo.full_name == github.repository" in job["if"], name


@pytest.mark.parametrize("name", TEXTS)
def test_no_text_that_somebody_else_wrote_is_put_into_a_script(name: str) -> None:
    assert [step["run"] for step in steps(name) if "${{" in step.get("run", "")] == []


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_called_exists(name: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for step in steps(name):
        for word in re.findall(r"^make (\w+)", step.get("run", ""), re.MULTILINE):
            assert re.search(rf"^{word}:.* ## ", makefile, re.MULTILINE), word


def test_a_deployment_is_tested_and_uses_the_cli_of_the_locked_sdk() -> None:
    commands = [step["run"] for step in steps("deploy.yml") if "run" in step]
    ups = [number for number, command in enumerate(commands) if " up " in command]
    assert len(ups) == 1
    assert "pytest tests/smoke" in "".join(commands[ups[0] + 1 :])
    assert "--expect" not in commands[ups[0]]
    (locked,) = re.findall(r"^pulumi==([\d.]+)", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE)
    (cli,) = [
        step["with"]["pulumi-version"] for step in steps("deploy.yml") if "pulumi/actions" in step.get("uses", "")
    ]
    assert cli == locked


def test_two_deployments_of_a_stack_wait_for_each_other() -> None:
    assert workflow("deploy.yml")["concurrency"]["cancel-in-progress"] is False
    assert "inputs.stack" in workflow("deploy.yml")["concurrency"]["group"]
