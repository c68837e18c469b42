"""A copy of the project with a stack of its own: random prefix, free ports, its own state, removed at the end."""

import copy
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import psycopg
import urllib3
import yaml
from minio import Minio

ROOT = Path(__file__).parents[2]
STRATA = Path(sys.executable).with_name("strata")
UP_SECONDS = 300


@dataclass(frozen=True)
class Finished:
    """A command that ended: its exit code and everything it printed."""

    code: int
    text: str

    def succeeded(self) -> "Finished":
        assert self.code == 0, f"exit {self.code}:\n{self.text}"
        return self

    def refused(self, *says: str) -> "Finished":
        """It failed with one clear error that says all of `says`, and no traceback."""
        assert self.code != 0, f"it should have failed:\n{self.text}"
        assert "Traceback" not in self.text, self.text
        for part in says:
            assert part in self.text, f"`{part}` is not in:\n{self.text}"
        return self


@dataclass
class Project:
    """`root` looks like a checkout: applications and settings are copies that a test may change."""

    root: Path
    stack: str = field(default_factory=lambda: f"e2e-{secrets.token_hex(3)}")
    config: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def make(cls, root: Path) -> "Project":
        root.mkdir()
        for name in ("infra", ".venv", "policies", "tests"):
            (root / name).symlink_to(ROOT / name)
        shutil.copy(ROOT / "Pulumi.yaml", root)
        shutil.copytree(ROOT / "applications", root / "applications")
        project = cls(root)
        project.config = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]
        project.config["strata:stage"] = "test"
        project.config["strata:applications"] = ["alfred"]
        project.config["strata:platform"] = {"kind": "docker", "prefix": f"{project.stack}-"}
        project.set("postgres.port", free_port())
        project.set("redis.port", free_port())
        project.set("qdrant.port", free_port())
        project.set("qdrant.grpc_port", free_port())
        project.set("object_store.port", free_port())
        return project

    def set(self, path: str, value: object) -> None:
        """Change one setting, e.g. `postgres.port`."""
        backend, *keys = path.split(".")
        target = self.config.setdefault(f"strata:{backend}", {}) if keys else self.config
        target[keys[0] if keys else f"strata:{backend}"] = value
        self.write()

    def get(self, path: str) -> Any:
        backend, key = path.split(".")
        return self.config[f"strata:{backend}"][key]

    def write(self) -> None:
        text = yaml.safe_dump({"config": copy.deepcopy(self.config)}, sort_keys=False)
        (self.root / f"Pulumi.{self.stack}.yaml").write_text(text)

    @property
    def state_home(self) -> Path:
        return self.root / "state"

    @property
    def state_file(self) -> Path:
        return self.state_home / "strata" / ".pulumi" / "stacks" / "strata" / f"{self.stack}.json"

    def env(self, **extra: str) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_", "STRATA_"))}
        return {**kept, "XDG_STATE_HOME": str(self.state_home), "NO_COLOR": "1", **extra}

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(STRATA), *arguments, "--stack", self.stack],
            cwd=self.root,
            env=self.env(**env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, **env: str) -> Finished:
        process = self.start(*arguments, **env)
        try:
            text, _ = process.communicate(timeout=UP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            text, _ = process.communicate()
            raise AssertionError(f"strata {' '.join(arguments)} did not end in {UP_SECONDS} s:\n{text}") from None
        return Finished(process.returncode, text)

    def up(self, *arguments: str, **env: str) -> Finished:
        """`strata up` without its smoke tests, which have a test of their own."""
        return self.run("up", "--yes", "--skip-smoke", *arguments, **env)

    def destroy(self) -> Finished:
        return self.run("destroy", "--yes")

    def outputs(self) -> dict[str, Any]:
        completed = subprocess.run(
            [str(STRATA), "outputs", "--json", "--show-secrets", "--stack", self.stack],
            cwd=self.root,
            env=self.env(),
            capture_output=True,
            text=True,
            check=True,
        )
        outputs: dict[str, Any] = json.loads(completed.stdout)
        return outputs

    def rendered(self, application: str = "alfred") -> dict[str, str]:
        """The application's configuration, as it would load it."""
        path = self.state_home / "strata" / "config" / self.stack / f"{application}.env"
        script = f"set -a; . '{path}'; exec '{sys.executable}' -c 'import json,os;print(json.dumps(dict(os.environ)))'"
        completed = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, env={})
        variables: dict[str, str] = json.loads(completed.stdout)
        return variables

    def database(self) -> psycopg.Connection[Any]:
        """Alfred's login, from the rendered file."""
        return psycopg.connect(self.rendered()["DATABASE_URL"], connect_timeout=5)

    def objects(self) -> Minio:
        """Alfred's access key, from the rendered file."""
        variables = self.rendered()
        where, region = variables["GLOBAL_S3_ENDPOINT"].removeprefix("http://"), variables["REGION"]
        key, secret = variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"]
        pool = urllib3.PoolManager(timeout=10, retries=False)
        return Minio(where, key, secret, secure=False, region=region, http_client=pool)

    def ids(self) -> dict[str, str]:
        """Container name without prefix -> id."""
        found = containers(self.stack)
        return {str(c.name).removeprefix(f"{self.stack}-"): str(c.id) for c in found}

    def remove(self) -> None:
        """Everything that this stack labelled."""
        remove(self.stack)


def containers(stack: str) -> list[Any]:
    return list(docker.from_env().containers.list(all=True, filters={"label": f"strata.stack=strata/{stack}"}))


def remove(stack: str) -> None:
    client = docker.from_env()
    label: dict[str, str | list[str] | bool] = {"label": f"strata.stack=strata/{stack}"}
    for container in client.containers.list(all=True, filters=label):
        container.remove(force=True, v=True)
    for network in client.networks.list(filters=label):
        network.remove()
    for volume in client.volumes.list(filters=label):
        volume.remove(force=True)
    client.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(what: str, check: Callable[[], object], seconds: float = 60) -> None:
    """Poll `check` until it returns something true; say what was seen last if it never does."""
    deadline = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < deadline:
        try:
            last = check()
        except Exception as error:  # noqa: BLE001 - any failure is "not yet", and reported at the end
            last = error
        if last and not isinstance(last, Exception):
            return
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds} s; last seen: {last!r}")
