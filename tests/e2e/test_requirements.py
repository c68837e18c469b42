"""All five applications in one stack: what docs/requirements.md names is not only there, it runs and passes."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from infra import settings
from tests.e2e.project import ROOT, Project, free_port

pytestmark = [pytest.mark.e2e, pytest.mark.docker]

NAMED = set(re.findall(r"`(tests/smoke/[\w/]+)\.py::(\w+)`", (ROOT / "docs" / "requirements.md").read_text("utf-8")))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project.make(tmp_path_factory.mktemp("e2e") / "checkout")
    names = [path.parent.name for path in sorted((ROOT / "applications").glob("*/application.yaml"))]
    project.config["strata:applications"] = names
    claims = [settings.read_application(ROOT, name) for name in names]
    own = [claim.name for claim in claims if claim.redis and claim.redis.server]
    project.set("redis.dedicated", {name: {"port": free_port()} for name in own})
    try:
        project.up().succeeded()
        yield project
    finally:
        project.remove()


def test_every_smoke_test_that_a_requirement_names_runs_and_passes(stack: Project, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", str(ROOT / "tests" / "smoke"), "--stack", stack.stack, "--disruptive"]
    done = subprocess.run(
        [*command, "-q", "-p", "no:cacheprovider", f"--junitxml={report}"],
        cwd=stack.root,
        env=stack.env(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    passed, others = set[tuple[str, str]](), set[tuple[str, str]]()
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - our own
        named = (case.attrib["classname"].replace(".", "/"), case.attrib["name"].partition("[")[0])
        (others if list(case) else passed).add(named)
    assert passed - others >= NAMED, f"did not run, or did not pass: {sorted(NAMED - (passed - others))}"
