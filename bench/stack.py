"""A stack of its own, as Pulumi.dev.yaml describes one: other names, other ports, its own state."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

import images
from bench import daemon
from bench.errors import BenchError
from components.workloads import object_store, postgres, qdrant, redis
from components.workloads.workload import Workload
from infra import settings
from infra.settings import Settings

ROOT = Path(__file__).parents[1]
STRATA = Path(sys.executable).with_name("strata")
_DEADLINE = 900  # seconds for any one command
_NOT_OURS = ("PULUMI_", "PYTHON", "STRATA_")  # variables that change what is measured, such as Python without its cache


@dataclass(frozen=True)
class Stack:
    """`root` looks like a checkout to `strata`; everything that this stack makes lies in it or carries its label."""

    root: Path
    config: dict[str, Any]
    name: str = field(default_factory=lambda: f"bench-{secrets.token_hex(3)}")

    @classmethod
    def make(cls, root: Path, claims: Mapping[str, str] | None = None) -> "Stack":
        """Writes the checkout, with `alfred` or with `claims`, files by application. Nothing is deployed yet."""
        root.mkdir()
        for part in ("infra", "policies", "tests", ".venv", *(() if claims else ("applications",))):
            (root / part).symlink_to(ROOT / part)
        for name, text in (claims or {}).items():
            folder = root / "applications" / name
            folder.mkdir(parents=True)
            (folder / "application.yaml").write_text(text, encoding="utf-8")
        shutil.copy(ROOT / "Pulumi.yaml", root)
        config = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8"))["config"]
        stack = cls(root, config)
        config["strata:platform"] = {"kind": "docker", "prefix": f"{stack.name}-"}
        config["strata:applications"] = list(claims or ("alfred",))
        for key, value in config.items():
            if isinstance(value, dict):
                config[key] = {name: free_port() if name.endswith("port") else it for name, it in value.items()}
        (root / f"Pulumi.{stack.name}.yaml").write_text(yaml.safe_dump({"config": config}), encoding="utf-8")
        return stack

    @property
    def settings(self) -> Settings:
        values = {key.removeprefix("strata:"): value for key, value in self.config.items()}
        return settings.parse(values, file="Pulumi.dev.yaml")

    @property
    def workloads(self) -> dict[str, Workload]:
        """The containers by backend, as the components describe them."""
        wanted = self.settings
        return {
            "postgres": postgres.workload(wanted.postgres),
            "redis": redis.workload(wanted.redis),
            "qdrant": qdrant.workload(wanted.qdrant),
            "object_store": object_store.workload(wanted.object_store),
        }

    def image(self, workload: Workload) -> str:
        source = self.settings.images.source
        name = images.local_name if source == "local" else images.source_name
        return name(workload.backend, workload.version)

    @property
    def network(self) -> str:
        return f"{self.name}-strata"

    @property
    def state_home(self) -> Path:
        return self.root / "state"

    def secret(self, name: str) -> str:
        """Such as `postgres/admin`; the stack must be up."""
        return (self.state_home / "strata" / "secrets" / self.name / name).read_text(encoding="utf-8")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A `strata` command, under way."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(_NOT_OURS)}
        return subprocess.Popen(
            [str(STRATA), *arguments, "--stack", self.name],
            cwd=self.root,
            env={**kept, "XDG_STATE_HOME": str(self.state_home), "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def up(self, *arguments: str) -> None:
        """`strata up`, until it exits: with its smoke tests, unless `--skip-smoke`. Raises BenchError."""
        finish(self.start(*self.up_command, *arguments))

    @property
    def up_command(self) -> tuple[str, ...]:
        return ("up", "--yes", "--engine", "embedded")

    def remove(self) -> None:
        """Everything but the checkout, so that the next `up` is the first one."""
        daemon.remove(f"strata.stack=strata/{self.name}")
        shutil.rmtree(self.state_home, ignore_errors=True)


def finish(process: subprocess.Popen[str]) -> str:
    """What a command printed. It is ended with this function, however that ends. Raises BenchError if it failed."""
    try:
        text, _ = process.communicate(timeout=_DEADLINE)
    except subprocess.TimeoutExpired:
        raise BenchError(f"`{_shown(process)}` did not end within {_DEADLINE} s") from None
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if process.returncode != 0:
        raise BenchError(f"`{_shown(process)}` failed with exit code {process.returncode}:\n{text.strip()[-3000:]}")
    return text


def _shown(process: subprocess.Popen[str]) -> str:
    arguments = process.args
    return " ".join(map(str, arguments)) if isinstance(arguments, list) else str(arguments)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
