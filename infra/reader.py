"""Reads a stack's contract back from its state: for smoke tests, configuration files and the summary of `up`.

Kept apart from infra/exports.py, which writes it: a reader needs neither the program nor the Pulumi SDK.
"""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.workspace import Workspace, find

if TYPE_CHECKING:
    from engine import api
    from infra.contract import StackContract


class ContractError(Exception):
    """A stack has no outputs, or not those of this contract. The text is what the user reads, without any value."""


def load(stack: str, *, start: Path | None = None, environ: Mapping[str, str] | None = None) -> "StackContract":
    """The contract of `stack`, credentials included. Raises ContractError, WorkspaceError."""
    return load_from(find(stack, start=start, environ=environ))


def load_from(workspace: Workspace) -> "StackContract":
    """The contract of the workspace's stack, credentials included. Raises ContractError, WorkspaceError."""
    outputs = read_outputs(workspace, show_secrets=True)
    if not outputs:
        raise ContractError(f"the stack `{workspace.stack}` has no outputs: {_cure(workspace)}")
    return parse(outputs, workspace)


def parse(outputs: Mapping[str, Any], workspace: Workspace) -> "StackContract":
    """Raises ContractError that names what is wrong, and no value: it may be a secret."""
    from pydantic import ValidationError

    from infra.contract import CONTRACT_VERSION, StackContract  # `up` has other things to start first

    version = outputs.get("contract_version")
    if version != CONTRACT_VERSION:
        raise ContractError(
            f"the stack `{workspace.stack}` has contract version {version!r}, and this checkout reads version"
            f" {CONTRACT_VERSION}: use the checkout that made the stack, or {_cure(workspace)}"
        )
    try:
        return StackContract.model_validate(outputs)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False, include_context=False)
        mistakes = "\n".join(f"  {'.'.join(map(str, d['loc'])) or 'outputs'}: {d['msg']}" for d in details)
        raise ContractError(
            f"the outputs of the stack `{workspace.stack}` are not a contract: {_cure(workspace)}\n{mistakes}"
        ) from None


def read_outputs(workspace: Workspace, *, show_secrets: bool) -> dict[str, Any]:
    """The stack's outputs; without `show_secrets`, secret ones are `[secret]`. Raises ContractError, WorkspaceError."""
    if workspace.state_file is None:
        return _ask_pulumi(workspace, show_secrets=show_secrets)
    if not workspace.state_file.exists():
        raise ContractError(f"no stack `{workspace.stack}` in {workspace.backend_url}: {_cure(workspace)}")
    from engine import api  # half a second, and only file backends need it

    try:
        return api.outputs(engine_workspace(workspace), show_secrets=show_secrets)
    except api.EngineError as error:
        raise ContractError(str(error)) from None


def engine_workspace(workspace: Workspace) -> "api.Workspace":
    """The same stack in the embedded engine's terms. Raises WorkspaceError if its passphrase is missing."""
    from engine import api

    return api.Workspace(
        root=workspace.root,
        stack=workspace.stack,
        backend_url=workspace.backend_url,
        passphrase=workspace.passphrase(),
        config_file=workspace.config_file,
    )


def _ask_pulumi(workspace: Workspace, *, show_secrets: bool) -> dict[str, Any]:
    """Shared state is the official CLI's. Its output is captured: with secrets it must never reach a terminal."""
    command = ["pulumi", "stack", "output", "--json", "--stack", workspace.stack, "--non-interactive"]
    if show_secrets:
        command.append("--show-secrets")
    environ = {**workspace.environ, "PULUMI_BACKEND_URL": workspace.backend_url}
    try:
        done = subprocess.run(command, cwd=workspace.root, env=environ, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ContractError(
            f"{workspace.backend_url} is shared state, which the `pulumi` command reads, and it is not on PATH"
        ) from None
    if done.returncode != 0:
        raise ContractError(f"`{' '.join(command)}` failed:\n{done.stderr.strip()}")
    outputs: dict[str, Any] = json.loads(done.stdout)
    return outputs


def _cure(workspace: Workspace) -> str:
    return f"run `strata up --stack {workspace.stack}`"
