"""The command as a user meets it: one clear error, an exit code, no traceback, and nothing touched."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.unit.conftest import STRATA, Strata


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
        (["preview", "--target-dependents"], 2, "--target-dependents says more of --target: give that, too"),
        (["nonsense"], 2, "nonsense"),
    ],
)
def test_a_mistake_is_one_error_and_changes_nothing(
    strata: Strata, checkout: Path, arguments: list[str], exit_code: int, says: str
) -> None:
    before = sorted(checkout.rglob("*"))
    done = strata(checkout, *arguments)
    assert done.returncode == exit_code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert sorted(checkout.rglob("*")) == before
    assert not (checkout.parent / "state").exists(), "a refused command left something in the state folder"


def test_outside_a_project_it_says_where_to_go(strata: Strata, tmp_path: Path) -> None:
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
    strata: Strata, checkout: Path, change: tuple[str, str], says: str
) -> None:
    file = checkout / "Pulumi.dev.yaml"
    text = file.read_text()
    assert change[0] in text
    file.write_text(text.replace(*change, 1))
    done = strata(checkout, "up", "--yes")
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr


# In Python and not in sh: a shell cannot handle a signal that was ignored when it was started.
STAND_IN = """
import pathlib, signal, sys, time

def stop(*_):
    time.sleep(1)
    pathlib.Path({stopped!r}).touch()
    sys.exit(8)

if sys.argv[1] != "preview":
    sys.exit(0)
signal.signal(signal.SIGINT, stop)
signal.signal(signal.SIGTERM, stop)
pathlib.Path({started!r}).touch()
while True:
    time.sleep(0.1)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_official_cli_by_its_own_means(checkout: Path, tmp_path: Path, number: int) -> None:
    """The stand-in ends like the CLI does: it takes its time, and says that it was cancelled."""
    started, stopped = tmp_path / "started", tmp_path / "stopped"
    stand_in = tmp_path / "bin" / "pulumi"
    stand_in.parent.mkdir()
    stand_in.write_text(f"#!{sys.executable}\n{STAND_IN.format(started=str(started), stopped=str(stopped))}")
    stand_in.chmod(0o755)
    environ = {"PATH": f"{stand_in.parent}:/usr/bin:/bin", "XDG_STATE_HOME": str(tmp_path / "state")}
    command = [str(STRATA), "preview", "--engine", "pulumi"]
    with subprocess.Popen(command, cwd=checkout, env=environ, stdin=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 30
        while not started.exists():
            assert process.poll() is None, "strata ended before the CLI was started"
            assert time.monotonic() < deadline, "the CLI was not started within 30 s"
            time.sleep(0.05)
        process.send_signal(number)
        assert process.wait(timeout=30) == 8
    assert stopped.exists(), "strata did not wait for the CLI"


def test_debug_shows_the_traceback(strata: Strata, tmp_path: Path) -> None:
    assert "Traceback" in strata(tmp_path, "preview", STRATA_DEBUG="1").stderr


def test_the_stack_can_come_from_the_environment(strata: Strata, checkout: Path) -> None:
    assert "no stack `alice`" in strata(checkout, "outputs", STRATA_STACK="alice").stderr


def test_the_schema_needs_no_project(strata: Strata, tmp_path: Path) -> None:
    done = strata(tmp_path, "contract", "--schema")
    assert json.loads(done.stdout)["title"] == "StackContract"


def test_no_colour_codes_reach_a_file(strata: Strata, checkout: Path) -> None:
    assert "\x1b" not in strata(checkout, "outputs").stderr


def test_images_are_built_for_every_backend_unless_some_are_named(
    strata: Strata, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def build(names: Iterable[str], say: object) -> list[str]:
        asked.append([*names])
        return []

    monkeypatch.setattr("images.build", build)
    strata(checkout, "images", "build")
    strata(checkout, "images", "build", "redis")
    assert asked == [["postgres", "redis", "object_store", "qdrant"], ["redis"]]
