"""The job that plans a pull request, run step by step as GitHub's runner does, in a checkout of its own."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.e2e.project import ROOT, Finished, Project

pytestmark = [pytest.mark.e2e, pytest.mark.docker]

PLAN = yaml.safe_load((ROOT / ".github" / "workflows" / "pull-request.yml").read_text(encoding="utf-8"))["jobs"]["plan"]


def scripts() -> list[str]:
    return [step["run"] for step in PLAN["steps"] if "run" in step]


def run(project: Project, script: str, summary: Path) -> Finished:
    """With the runner's shell and its variables."""
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=project.root,
        env=project.env(GITHUB_STEP_SUMMARY=str(summary)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    return Finished(done.returncode, done.stdout)


@pytest.fixture
def checkout(project: Project) -> Project:
    """Its stack `dev` has this test's names and ports. The machine is prepared: preflight.sh is a stand-in."""
    (project.root / "Makefile").symlink_to(ROOT / "Makefile")
    (project.root / "scripts").mkdir()
    (project.root / "scripts" / "preflight.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    (project.root / "scripts" / "preflight.sh").chmod(0o755)
    project.set("postgres.memory", "2Gi")
    shutil.move(project.root / f"Pulumi.{project.stack}.yaml", project.root / "Pulumi.dev.yaml")
    settings = (project.root / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    assert "source: local" in settings
    return project


def test_a_pull_request_gets_its_plan_and_the_policies_verdict(checkout: Project, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    for script in scripts():
        run(checkout, script, summary).succeeded()
    report = checkout.root / "report"
    comment = (report / "policy.md").read_text(encoding="utf-8")
    assert comment.startswith("### Policies: ✅")
    assert "docker:index/container:Container` | `postgres-container`" in comment
    assert summary.read_text(encoding="utf-8") == comment
    assert json.loads((report / "policy.json").read_text(encoding="utf-8"))["ok"] is True
    assert json.loads((report / "policy.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"


def test_what_a_rule_forbids_fails_the_job_and_is_in_its_report(checkout: Project, tmp_path: Path) -> None:
    claim = checkout.root / "applications" / "alfred" / "application.yaml"
    changed = yaml.safe_load(claim.read_text(encoding="utf-8"))
    changed["object_store"]["buckets"]["platform"] = {"versioning": False}
    claim.write_text(yaml.safe_dump(changed), encoding="utf-8")
    first, plan, summary = scripts()
    run(checkout, first, tmp_path / "summary.md").succeeded()
    run(checkout, plan, tmp_path / "summary.md").refused("bucket-keeps-versions")
    run(checkout, summary, tmp_path / "summary.md").succeeded()
    assert "bucket-keeps-versions" in (tmp_path / "summary.md").read_text(encoding="utf-8")
