"""The same containers under Docker Compose."""

import json
import secrets
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import compose_file, daemon
from bench.compose_binary import parse_version
from bench.compose_file import Part
from bench.stack import Stack, finish, free_port
from components.workloads.workload import Workload


@dataclass(frozen=True)
class Compose:
    """One compose project."""

    command: Sequence[str]
    project: str
    file: Path

    @classmethod
    def make(cls, stack: Stack, command: Sequence[str]) -> "Compose":
        """Writes the compose file, and fills the volumes with secrets that it names. Nothing is running yet."""
        parts = [_prepared(stack, work) for work in stack.workloads.values()]
        with daemon.client() as client:
            engine = parse_version(client.version()["Version"]) or (0,)
        file = stack.root.parent / "compose.yaml"
        file.write_text(json.dumps(compose_file.document(parts, compose_file.probe(engine)), indent=2))
        return cls(command, f"{stack.name}-compose", file)

    def up(self) -> None:
        """Until every health check succeeds. Raises BenchError."""
        self._run("up", "--detach", "--wait")

    def down(self) -> None:
        self._run("down", "--volumes", "--timeout", "1")

    def _run(self, *arguments: str) -> None:
        command = [*self.command, "--project-name", self.project, "--file", str(self.file), *arguments]
        finish(
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )


def _prepared(stack: Stack, work: Workload) -> Part:
    """Makes the volume with the secrets, so that Compose need not."""
    volume = f"{stack.name}-compose-{work.name}-secrets"
    texts = compose_file.secret_files(work, secrets.token_urlsafe(24), secrets.token_hex(32))
    daemon.fill_volume(volume, stack.image(work), texts, owner=stack.name, user=work.uid)
    ports = {inside: free_port() for inside, _ in work.ports.values()}
    return Part(work=work, image=stack.image(work), ports=ports, secrets=volume)
