"""The stack as its users meet it: the same commands, checks and smoke tests as on Docker."""

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.cluster.platform.project import ClusterProject


def test_a_second_up_changes_nothing(stack: ClusterProject) -> None:
    stack.up("--expect-no-changes").succeeded()


def test_every_smoke_test_passes_restarts_and_kills_too(stack: ClusterProject) -> None:
    command = [sys.executable, "-m", "pytest", "tests/smoke", "--stack", stack.stack, "--disruptive", "-q"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider"],
        cwd=stack.root,
        env=stack.env(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_verify_finds_all_well_and_knows_how_long_the_certificates_are_valid(stack: ClusterProject) -> None:
    report = json.loads(stack.run("verify", "--json").succeeded().text)
    certificates = [check["text"] for check in report["servers"] if "certificate" in check["name"]]
    assert len(certificates) == 7
    assert all(re.search(r", in (8\d|90) days$", text) for text in certificates), certificates


def test_an_application_has_in_its_namespace_what_config_renders(stack: ClusterProject) -> None:
    path = Path(stack.run("config", "alfred", "--from", "cluster", "--format", "json").succeeded().text.split()[0])
    rendered = json.loads(path.read_text())
    namespace = f"--namespace={stack.stack}-alfred-platform"
    plain = stack.kubectl.get("configmap", "alfred-storage", namespace)["data"]
    hidden = stack.kubectl.get("secret", "alfred-storage", namespace)["data"]
    assert set(plain) | set(hidden) == set(rendered)
    assert plain == {name: value for name, value in rendered.items() if name in plain}
    assert "DB_PASSWORD" in hidden
    assert "DATABASE_URL" in hidden
    assert "DB_HOST" in plain


def test_no_secret_is_plain_in_the_state_or_in_a_pod(stack: ClusterProject) -> None:
    credentials = stack.outputs()["credentials"]
    passwords = [c["password"] for slices in credentials.values() for c in slices.values() if "password" in c]
    assert passwords
    seen = stack.state_file.read_text() + stack.kubectl("get", "pods", "-o", "json") + stack.kubectl("get", "events")
    seen += stack.kubectl("get", "configmaps", "--all-namespaces", "-o", "json")
    assert [p for p in passwords if p in seen] == []
