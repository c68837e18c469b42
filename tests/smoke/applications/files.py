"""An application's folder as `strata config APP --out` fills it, and how applications load what is in it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Files:
    """`folder` has `.env`, and the files that the application has templates for."""

    folder: Path

    @property
    def env(self) -> dict[str, str]:
        """The variables of `.env`, read by a shell."""
        command = ["sh", "-euc", 'set -a; . "$1"; exec env -0', "sh", str(self.folder / ".env")]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, env={})
        return dict(line.split("=", 1) for line in done.stdout.split("\0") if line)

    def yaml(self, name: str) -> dict[str, Any]:
        loaded: dict[str, Any] = yaml.safe_load((self.folder / name).read_text(encoding="utf-8"))
        return loaded
