"""An application's folder as `strata config APP --out` fills it, and how applications load what is in it."""

import re
import subprocess
from collections.abc import Mapping
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

    def text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def yaml(self, name: str) -> dict[str, Any]:
        loaded: dict[str, Any] = yaml.safe_load(self.text(name))
        return loaded


def expanded(text: str, env: Mapping[str, str]) -> str:
    """`${NAME:-default}` as loaders of such files replace it: by the variable, or by its default."""
    return re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: env.get(found[1]) or found[2], text)


def referred(value: Any, env: Mapping[str, str]) -> Any:
    """A loaded document, each value that is `$NAME` replaced by the variable. Raises KeyError."""
    if isinstance(value, dict):
        return {key: referred(child, env) for key, child in value.items()}
    return env[value[1:]] if isinstance(value, str) and value.startswith("$") else value
