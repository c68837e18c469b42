"""What the command needs to know of a stack's state without opening its secrets: writer, salt, retained data."""

import gzip
import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cli.errors import CliError
from engine.state import ENGINE_VERSION
from engine.steps import load, log_of
from infra.workspace import Workspace

EngineName = Literal["embedded", "pulumi"]

_SUFFIX = f"+{ENGINE_VERSION.rpartition('+')[2]}"
_VOLUME = "docker:index/volume:Volume"
_CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
_PREFLIGHTS = (":DockerPreflight", ":KubernetesPreflight")


@dataclass(frozen=True)
class Deployment:
    """A stack's checkpoint in the official format, secrets still encrypted."""

    latest: Mapping[str, Any]

    @property
    def resources(self) -> list[Mapping[str, Any]]:
        return list(self.latest.get("resources") or [])

    @property
    def last_writer(self) -> EngineName | None:
        """Who wrote it last; None if it holds no resource, so that either may go on."""
        if not self.resources:
            return None
        version = self.latest.get("manifest", {}).get("version", "")
        return "embedded" if version.endswith(_SUFFIX) else "pulumi"

    @property
    def salt(self) -> str | None:
        """The `encryptionsalt` that its secrets were encrypted with."""
        state = self.latest.get("secrets_providers", {}).get("state") or {}
        salt: str | None = state.get("salt")
        return salt

    @property
    def retained_volumes(self) -> list[str]:
        """Docker volumes, and claims as `<namespace>/<name>`, that outlive a destroy."""
        entries = (r for r in self.resources if r.get("type") in (_VOLUME, _CLAIM) and r.get("retainOnDelete"))
        return sorted(_data_name(entry) for entry in entries)

    @property
    def data_volumes(self) -> list[str]:
        """The same, whether they are retained or that was lifted already: all but Docker's volumes of secrets."""
        volumes = [r for r in self.resources if r.get("type") in (_VOLUME, _CLAIM)]
        return sorted(_data_name(r) for r in volumes if not r["urn"].endswith("-secrets"))

    @property
    def adopted_volumes(self) -> list[str]:
        """Those that an earlier state made, and that the first `up` of this one found with their data."""
        outputs = [r.get("outputs") or {} for r in self.resources if r.get("type", "").endswith(_PREFLIGHTS)]
        return sorted(name for output in outputs for name in output.get("adopted") or [])


def _data_name(resource: Mapping[str, Any]) -> str:
    inputs = resource["inputs"]
    if resource["type"] == _VOLUME:
        return str(inputs["name"])
    return f"{inputs['metadata']['namespace']}/{inputs['metadata']['name']}"


def read(workspace: Workspace) -> Deployment | None:
    """The stack's deployment, or None if there is no such stack. Raises CliError."""
    path = workspace.state_file
    if path is None:
        return _export(workspace)
    compressed = path.with_name(path.name + ".gz")  # PULUMI_DIY_BACKEND_GZIP
    try:
        packed = compressed.exists()
        document = json.loads(gzip.decompress(compressed.read_bytes())) if packed else load(path)
        return Deployment(document["checkpoint"].get("latest") or {})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CliError(f"{path} is not a state file ({error}). The state before the last save is {path}.bak") from None


def fold(workspace: Workspace, tell: Callable[[str], None]) -> None:
    """For the official CLI: what a killed run of the embedded engine has noted beside the state comes into it."""
    if workspace.state_file is None or not log_of(workspace.state_file).exists():
        return
    from engine.backend import StackFiles  # a while that is seldom needed

    files = StackFiles(workspace.backend_url, workspace.project, workspace.stack)
    with files.lock(tell):
        if files.fold():
            tell("The embedded engine was cut off here: what it had finished is in the state now.")


def _export(workspace: Workspace) -> Deployment | None:
    command = ["pulumi", "stack", "export", "--stack", workspace.stack, "--non-interactive"]
    environ = {**workspace.environ, "PULUMI_BACKEND_URL": workspace.backend_url}
    try:
        done = subprocess.run(command, cwd=workspace.root, env=environ, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise CliError(f"{workspace.backend_url} is shared state: install the `pulumi` command") from None
    if done.returncode == 0:
        return Deployment(json.loads(done.stdout)["deployment"])
    if "no stack named" in done.stderr:
        return None
    raise CliError(f"`{' '.join(command)}` failed:\n{done.stderr.strip()}")
