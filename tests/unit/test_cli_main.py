"""The command as a user meets it: one clear error, an exit code, no traceback, and nothing touched."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STRATA = Path(sys.executable).with_name("strata")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml"):
        shutil.copy(ROOT / name, checkout)
    shutil.copytree(ROOT / "applications", checkout / "applications")
    return checkout


def strata(cwd: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "STRATA_"))}
    home = {"XDG_STATE_HOME": str(cwd.parent / "state"), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [str(STRATA), *arguments],
        cwd=cwd,
        env={**kept, **home, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "exit_code", "says"),
    [
        (["up"], 2, "--yes must be passed"),
        (["destroy"], 2, "--yes must be passed"),
        (["destroy", "--yes"], 6, "no stack `dev`"),
        (["outputs"], 1, "run `strata up --stack dev`"),
        (["contract"], 1, "run `strata up --stack dev`"),
        (["config", "alfred"], 1, "run `strata up --stack dev`"),
        (["config", "ghost"], 1, "no application `ghost`. It has: alfred"),
        (["config", "alfred", "--format", "toml"], 2, "toml"),
        (["up", "--yes", "--stack", "ghost"], 1, "Pulumi.ghost.yaml does not exist"),
        (["up", "--yes", "--stack", "a/b"], 1, "cannot be a stack's name"),
        (["up", "--yes", "--engine", "pulumi"], 1, "there is no `pulumi` on PATH"),
        (["up", "--yes", "--engine", "terraform"], 2, "terraform"),
        (["nonsense"], 2, "nonsense"),
    ],
)
def test_a_mistake_is_one_error_and_changes_nothing(
    checkout: Path, arguments: list[str], exit_code: int, says: str
) -> None:
    before = sorted(checkout.rglob("*"))
    done = strata(checkout, *arguments)
    assert done.returncode == exit_code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert sorted(checkout.rglob("*")) == before
    assert not (checkout.parent / "state").exists(), "a refused command left something in the state folder"


def test_outside_a_project_it_says_where_to_go(tmp_path: Path) -> None:
    done = strata(tmp_path, "preview")
    assert (done.returncode, done.stdout) == (1, "")
    assert "error: no Pulumi.yaml in" in done.stderr


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("memory: 1Gi", "memory: 1"), "strata:postgres.memory"),
        (("strata:stage: development", "strata:stge: development"), "strata:stge"),
        (("config:", "config: ["), "Pulumi.dev.yaml is not YAML"),
        (("config:", "confg:"), "Pulumi.dev.yaml has no settings"),
    ],
)
def test_a_mistake_in_the_settings_is_found_before_anything_runs(
    checkout: Path, change: tuple[str, str], says: str
) -> None:
    file = checkout / "Pulumi.dev.yaml"
    text = file.read_text()
    assert change[0] in text
    file.write_text(text.replace(*change, 1))
    done = strata(checkout, "up", "--yes")
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    assert "Traceback" in strata(tmp_path, "preview", STRATA_DEBUG="1").stderr


def test_the_stack_can_come_from_the_environment(checkout: Path) -> None:
    assert "no stack `alice`" in strata(checkout, "outputs", STRATA_STACK="alice").stderr


def test_the_schema_needs_no_project(tmp_path: Path) -> None:
    done = strata(tmp_path, "contract", "--schema")
    assert json.loads(done.stdout)["title"] == "StackContract"


def test_no_colour_codes_reach_a_file(checkout: Path) -> None:
    assert "\x1b" not in strata(checkout, "outputs").stderr
