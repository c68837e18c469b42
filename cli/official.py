"""Drives the official `pulumi` CLI: same program, same state, and a clean checkout.

A plain `pulumi up` appends `encryptionsalt` to the committed Pulumi.<stack>.yaml. So the CLI gets a private copy of
that file, which carries the salt of the state. Secrets reach it through a passphrase file, never through its arguments.
"""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import Any

import yaml

from cli import state
from cli.engines import Options, Outcome
from cli.errors import CliError
from cli.terminal import Terminal
from components.privatefiles import state_home
from infra.workspace import Workspace


class OfficialCli:
    """The engine behind `--engine pulumi`."""

    def __init__(self, workspace: Workspace, terminal: Terminal) -> None:
        self._workspace, self._terminal = workspace, terminal

    @property
    def title(self) -> str:
        done = self._capture(["pulumi", "version"], cwd=self._workspace.root)
        return f"pulumi CLI {done.strip()}"

    def warmed(self, options: Options) -> AbstractContextManager[None]:
        return nullcontext()

    def preview(self, options: Options) -> Outcome:
        return self._run("preview", options)

    def up(self, options: Options) -> Outcome:
        return self._run("up", options)

    def destroy(self, options: Options) -> Outcome:
        return self._run("destroy", options)

    def refresh(self, options: Options) -> Outcome:
        return self._run("refresh", options)

    def _run(self, operation: str, options: Options) -> Outcome:
        self._make_stack()
        state.fold(self._workspace, lambda text: self._terminal.say(text))
        command = ["pulumi", operation, "--stack", self._workspace.stack, *self._config_file()]
        if not options.ask and operation != "preview":
            command.append("--yes")
        if not self._terminal.interactive:
            command.append("--non-interactive")
        if options.expect_no_changes and operation != "destroy":
            command.append("--expect-no-changes")
        if options.refresh:
            command.append("--refresh")
        for target in options.targets:
            command += ["--target", target]
        if options.target_dependents:
            command.append("--target-dependents")
        if options.clear_pending_creates:
            command.append("--clear-pending-creates")
        if options.continue_on_error:
            command.append("--continue-on-error")
        if options.parallel:
            command += ["--parallel", str(options.parallel)]
        if options.diff:
            command.append("--diff")
        for pack in options.policy_packs:
            command += ["--policy-pack", str(pack.folder.absolute())]
            if pack.config:
                command += ["--policy-pack-config", str(pack.config.absolute())]
        if options.json_output:
            command.append("--json")
        return self._carry_out(command, capture=options.json_output)

    def _carry_out(self, command: Sequence[str], *, capture: bool) -> Outcome:
        """Waits for the CLI however it is told to stop: killing it would leave its lock and half an update behind."""
        interactive = self._terminal.interactive
        process = subprocess.Popen(
            command,
            cwd=self._workspace.root,
            env=self._environ,
            stdout=subprocess.PIPE if capture else None,
            text=True,
            process_group=None if interactive else 0,  # a prompt needs the terminal's own group
        )
        with process, _signals_for(process, interrupt=not interactive):
            text, _ = process.communicate()
        return Outcome(exit_code=_exit_code(process.returncode), report=_report(text or ""))

    @cached_property
    def _environ(self) -> dict[str, str]:
        return {
            **self._workspace.environ,
            **self._workspace.passphrase_variables(),
            "PULUMI_BACKEND_URL": self._workspace.backend_url,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

    def _make_stack(self) -> None:
        """`pulumi up` makes a stack only where it can ask. `stack init` writes a salt beside Pulumi.yaml: not ours."""
        if self._workspace.state_file is None or state.read(self._workspace) is not None:
            return
        _local_folder(self._workspace)
        with tempfile.TemporaryDirectory(prefix="strata-") as folder:
            project = {"name": self._workspace.project, "runtime": "python"}
            (Path(folder) / "Pulumi.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
            init = ["pulumi", "stack", "init", self._workspace.stack, "--no-select", "--non-interactive"]
            self._capture(init, cwd=Path(folder))

    def _config_file(self) -> list[str]:
        """`--config-file` with the private copy; nothing for shared state, whose configuration is as it is."""
        deployment = state.read(self._workspace) if self._workspace.state_file else None
        if deployment is None:
            return []
        original = self._workspace.config_file
        try:
            config: dict[str, Any] = yaml.safe_load(original.read_text(encoding="utf-8")) or {}
        except FileNotFoundError:
            raise CliError(f"{original} does not exist: write it, or choose a stack that has one") from None
        except yaml.YAMLError as error:
            raise CliError(f"{original} is not YAML: {error}") from None
        if deployment.salt and "encryptionsalt" not in config:
            config["encryptionsalt"] = deployment.salt
        copy = state_home() / "pulumi" / self._workspace.project / original.name
        copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yaml.safe_dump(config, file, sort_keys=False)
        return ["--config-file", str(copy)]

    def _capture(self, command: Sequence[str], *, cwd: Path) -> str:
        done = subprocess.run(command, cwd=cwd, env=self._environ, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CliError(f"`{' '.join(command)}` failed:\n{done.stderr.strip()}", _exit_code(done.returncode))
        return done.stdout


@contextmanager
def _signals_for(process: subprocess.Popen[str], *, interrupt: bool) -> Iterator[None]:
    """Passes SIGTERM on to `process`, and SIGINT if `interrupt`: from a terminal it gets that one by itself."""

    def forward(number: int, _: FrameType | None) -> None:
        if number != signal.SIGINT or interrupt:
            process.send_signal(number)

    before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _local_folder(workspace: Workspace) -> None:
    """The CLI does not make the folder of a file backend."""
    Path(workspace.backend_url.removeprefix("file://")).expanduser().mkdir(mode=0o700, parents=True, exist_ok=True)


def _exit_code(returncode: int) -> int:
    """A process that a signal ended has a negative code; shells say 128 + signal."""
    return returncode if returncode >= 0 else 128 - returncode


def _report(text: str) -> dict[str, Any]:
    """Of `--json`: a preview is one document; `up` and `destroy` write that and then their events, one per line."""
    report: dict[str, Any] = {}
    diagnostics = []
    packs: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for document in _documents(text):
        if summary := document.get("summaryEvent"):
            report |= {"changeSummary": summary.get("resourceChanges", {}), "result": summary.get("result")}
            report["duration"] = int(summary.get("durationSeconds", 0) * 1e9)  # nanoseconds, as in a preview
        elif diagnostic := document.get("diagnosticEvent"):
            if not diagnostic.get("ephemeral"):
                diagnostics.append({key: diagnostic.get(key, "") for key in ("urn", "message", "severity")})
        elif finding := document.get("policyEvent"):
            pack = finding.get("policyPackName", ""), finding.get("policyPackVersion", "")
            keys = ("policyName", "enforcementLevel", "resourceUrn", "message")
            packs.setdefault(pack, []).append({key: finding.get(key, "") for key in keys})
        elif "sequence" not in document:
            report |= document
    if diagnostics:
        report["diagnostics"] = diagnostics
    if packs:
        report["policies"] = [
            {"policyPackName": name, "policyPackVersion": version, "violations": violations}
            for (name, version), violations in packs.items()
        ]
    return report


def _documents(text: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder()
    text = text.lstrip()
    while text:
        try:
            document, end = decoder.raw_decode(text)
        except ValueError:
            return  # it failed before it had anything more to report, and said why on stderr
        yield document
        text = text[end:].lstrip()
