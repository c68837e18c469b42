"""A Pulumi program in a temporary folder, carried out in this process, or in one that is to be killed."""

import io
import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine import api, providers, steplog
from engine.backend import StackFiles
from engine.state import ResourceState, Snapshot
from tests.engine.cloud import Cloud

PASSPHRASE = "correct horse"
_ROOT = Path(__file__).parents[2]
_DEADLINE = 30.0  # seconds for anything that a test waits for

PRELUDE = '''
import pulumi
from pulumi import ComponentResource, Output, ResourceOptions, export


class Thing(pulumi.CustomResource):
    """The test provider's resource: any input is an output, too."""

    path: Output[str]
    token: Output[str]

    def __init__(self, name, opts=None, **inputs):
        super().__init__("test:index:Thing", name, {"path": None, "token": None, **inputs}, opts)

'''


@dataclass
class Run:
    """A finished run: its result, and what it wrote."""

    result: api.Result
    text: str


@dataclass
class Stack:
    folder: Path
    backend: Path
    cloud: Cloud
    workspace: api.Workspace

    @classmethod
    def make(cls, folder: Path, cloud: Cloud) -> "Stack":
        root = folder / "program"
        root.mkdir()
        (root / "Pulumi.yaml").write_text("name: p\nruntime: python\n")
        backend = folder / "backend"
        workspace = api.Workspace(root=root, stack="dev", backend_url=backend.as_uri(), passphrase=PASSPHRASE)
        return cls(root, backend, cloud, workspace)

    def write(self, program: str) -> None:
        (self.folder / "__main__.py").write_text(PRELUDE + textwrap.dedent(program))
        # Python tells a changed file by its size and by the second of the change: two programs can have both.
        shutil.rmtree(self.folder / "__pycache__", ignore_errors=True)

    def write_config(self, text: str) -> None:
        (self.folder / "Pulumi.dev.yaml").write_text(textwrap.dedent(text))

    def up(self, program: str | None = None, **options: Any) -> Run:
        return self._run("up", program, options)

    def preview(self, program: str | None = None, **options: Any) -> Run:
        return self._run("preview", program, options)

    def refresh(self, **options: Any) -> Run:
        return self._run("refresh", None, options)

    def destroy(self, **options: Any) -> Run:
        return self._run("destroy", None, options)

    def _run(self, command: str, program: str | None, options: dict[str, Any]) -> Run:
        if program is not None:
            self.write(program)
        self.cloud.forget_calls()
        out = io.StringIO()
        display = api.TextDisplay(out, details=options.pop("details", False))
        result = getattr(api, command)(self.workspace, replace(api.Options(), **options), display)
        return Run(result, out.getvalue())

    def start(
        self, command: str, program: str | None = None, *, policy_pack: Path | None = None, large: bool = False
    ) -> "Process":
        """The same in a process of its own. `large`: as if the state were, so that steps are logged."""
        if program is not None:
            self.write(program)
        return Process(self, self.arguments(command, policy_pack=policy_pack, large=large))

    def arguments(self, command: str, *, policy_pack: Path | None = None, large: bool = False) -> str:
        """What this module is started with to do the same in another process."""
        return json.dumps(
            {
                "command": command,
                "cloud": str(self.cloud.folder),
                "root": str(self.folder),
                "backend": self.workspace.backend_url,
                "packs": [str(policy_pack)] if policy_pack else [],
                "large": large,
            }
        )

    @property
    def files(self) -> StackFiles:
        return StackFiles(self.workspace.backend_url, "p", "dev")

    @property
    def snapshot(self) -> Snapshot:
        return self.files.open(PASSPHRASE)[0]

    def entry(self, name: str) -> ResourceState:
        found = [entry for entry in self.snapshot.resources if entry.name == name and not entry.delete]
        assert len(found) == 1, f"{name}: {len(found)} entries"
        return found[0]

    def outputs(self, *, show_secrets: bool = False) -> dict[str, Any]:
        return api.outputs(self.workspace, show_secrets=show_secrets)

    def everything_on_disk(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.backend.rglob("*")) if path.is_file())


class Process:
    """An engine in a process, and a gate at which one of its operations waits (see Cloud)."""

    def __init__(self, stack: Stack, arguments: str) -> None:
        self.log = stack.folder.parent / "process.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.engine.stack", arguments],
                cwd=_ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": str(_ROOT)},
            )

    def wait_for(self, path: Path) -> None:
        deadline = time.monotonic() + _DEADLINE
        while not path.exists():
            state = f"engine: {self.process.poll()}, log:\n{self.log.read_text()}"
            assert self.process.poll() is None, f"ended before {path.name}; {state}"
            assert time.monotonic() < deadline, f"no {path.name}; {state}"
            time.sleep(0.01)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def ended(self) -> int:
        return self.process.wait(_DEADLINE)


def main() -> int:
    arguments = json.loads(sys.argv[1])
    cloud = Cloud(Path(arguments["cloud"]))
    providers.OPENERS["test"] = lambda host: cloud
    if arguments["large"]:
        steplog.LARGE, steplog.SHARE = 0, 1_000_000
    workspace = api.Workspace(
        root=Path(arguments["root"]), stack="dev", backend_url=arguments["backend"], passphrase=PASSPHRASE
    )
    options = api.Options(policy_packs=tuple(api.PackChoice(folder=Path(pack)) for pack in arguments["packs"]))
    result: api.Result = getattr(api, arguments["command"])(workspace, options, api.text_display(sys.stdout))
    return result.exit_code


if __name__ == "__main__":
    sys.exit(main())
