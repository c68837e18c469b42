"""The command in this process, in a checkout of its own."""

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.main import main

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


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Strata = Callable[..., Done]


@pytest.fixture
def strata(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Strata:
    """Runs the command in a folder, with an environment of its own, and nobody at a terminal."""
    for name in [name for name in os.environ if name.startswith(("PULUMI_", "STRATA_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")

    def run(cwd: Path, *arguments: str, **environ: str) -> Done:
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["strata", *arguments])
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return Done(returncode=int(ended.value.code or 0), stdout=out, stderr=err)

    return run
