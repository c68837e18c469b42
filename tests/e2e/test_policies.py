"""The real program under policy packs: it passes its own, and another one refuses it before anything exists."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.project import Project, containers

pytestmark = [pytest.mark.e2e, pytest.mark.docker]

FORBIDDING = """
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy


def no_published_port(args, report):
    if args.resource_type == "docker:index/container:Container" and args.props.get("ports"):
        report("ports: this host has none to give away")


PolicyPack(
    "strict",
    [ResourceValidationPolicy("no-port", "No port is published.", no_published_port)],
    enforcement_level=EnforcementLevel.MANDATORY,
)
"""


@pytest.fixture
def untouched(project: Project) -> Iterator[Project]:
    """A stack of which nothing may exist when the test ends."""
    yield project
    assert containers(project.stack) == []
    assert not project.state_file.exists()


@pytest.fixture
def forbidding(tmp_path: Path) -> Path:
    folder = tmp_path / "strict"
    folder.mkdir()
    (folder / "PulumiPolicy.yaml").write_text("runtime: python\nversion: 0.0.7\n")
    (folder / "__main__.py").write_text(FORBIDDING)
    return folder


def test_a_preview_runs_the_projects_own_pack_and_passes(untouched: Project) -> None:
    text = untouched.run("preview").succeeded().text
    assert "Policies:\n    ✅ strata@v0.1.0 (local: policies)\n" in text
    assert "can't run policy" not in text, "a rule is undecided about the real program"


def test_a_mandatory_policy_refuses_up_before_anything_exists(untouched: Project, forbidding: Path) -> None:
    refused = untouched.up("--policy-pack", str(forbidding)).refused(
        f"    ❌ strict@v0.0.7 (local: {forbidding})",
        "        - [mandatory]  no-port  (docker:index:Container (postgres",
        "ports: this host has none to give away",
        "mandatory policy violations (nothing was changed)",
    )
    assert " created (" not in refused.text


def test_a_file_lowers_it_for_one_stack(untouched: Project, forbidding: Path, tmp_path: Path) -> None:
    config = tmp_path / "lowered.json"
    config.write_text(json.dumps({"no-port": "advisory"}))
    text = (
        untouched.run("preview", "--policy-pack", str(forbidding), "--policy-pack-config", str(config)).succeeded().text
    )
    assert f"    ⚠️ strict@v0.0.7 (local: {forbidding})" in text
    assert "- [advisory]  no-port" in text


def test_a_report_of_the_policies_says_what_is_wrong_and_fails(untouched: Project, forbidding: Path) -> None:
    clean = untouched.run("policy").succeeded().text
    assert "0 mandatory and 0 advisory violations" in clean
    refused = untouched.run("policy", "--policy-pack", str(forbidding), "--format", "json")
    assert refused.code == 1
    document = json.loads(refused.text)
    assert (document["ok"], document["mandatory"]) == (False, 4)
    assert "this host has none to give away" in document["packs"][0]["violations"][0]["message"]


def test_an_exception_that_ended_fails_the_report(untouched: Project) -> None:
    own = (untouched.root / "policies").resolve()
    (untouched.root / "policies").unlink()
    shutil.copytree(own, untouched.root / "policies")
    file = untouched.root / "policies" / "exceptions.yaml"
    file.write_text(re.sub(r"expires: .*", "expires: 2020-01-31", file.read_text()))
    refused = untouched.run("policy")
    assert refused.code == 1
    assert "public-bucket for alfred-object-store-public-user-uploads ended on 2020-01-31: renew it" in refused.text
