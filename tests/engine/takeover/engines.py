"""The two engines behind one face."""

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from tests.engine.takeover.conftest import Shared

_ROOT = Path(__file__).parents[3]
_LIMIT = 300  # seconds for any one command


class Engine(Protocol):
    """`run` returns the operations by resource name, `same` left out; it fails the test if the command fails."""

    name: str

    def run(
        self, shared: "Shared", command: str, *options: str, project: str = "program", stack: str = "dev"
    ) -> Any: ...


class Official:
    """The pulumi CLI on PATH."""

    name = "official"

    def run(self, shared: "Shared", command: str, *options: str, project: str = "program", stack: str = "dev") -> Any:
        arguments = ["pulumi", command, "--stack", stack, "--non-interactive", "--json", *options]
        if command != "preview":
            arguments += ["--yes"]
        if command in ("up", "destroy", "refresh"):
            arguments += ["--skip-preview"]
        if command != "preview" and stack not in _stacks(shared):
            _checked(["pulumi", "stack", "init", stack], shared, project)
        return _operations(_checked(arguments, shared, project))


class Embedded:
    """This engine, in a process of its own."""

    name = "embedded"

    def run(self, shared: "Shared", command: str, *options: str, project: str = "program", stack: str = "dev") -> Any:
        folder = str(shared.folder / project)
        arguments = [sys.executable, "-m", "tests.engine.takeover.embedded", folder, command, stack, *options]
        return _operations(_checked(arguments, shared, project))


def _stacks(shared: "Shared") -> list[str]:
    return [path.stem for path in (shared.folder / "state").glob(".pulumi/stacks/takeover/*.json")]


def _checked(arguments: list[str], shared: "Shared", project: str) -> str:
    folder = shared.folder / project if arguments[0] == "pulumi" else _ROOT
    done = subprocess.run(arguments, cwd=folder, env=shared.env(), capture_output=True, text=True, timeout=_LIMIT)
    if done.returncode == 0:
        return done.stdout
    raise AssertionError(f"{' '.join(arguments)}: exit {done.returncode}\n{_told(done.stdout)}\n{done.stderr[-3000:]}")


def _told(text: str) -> str:
    """What a failed command planned, and what it complained of."""
    lines = []
    for document in _documents(text):
        for step in document.get("steps") or ():
            if step["op"] not in ("same", "read"):
                old, new = step.get("oldState") or {}, step.get("newState") or {}
                parts = {part: (old.get(part), new.get(part)) for part in ("inputs", "provider", "outputs")}
                differing = {part: both for part, both in parts.items() if both[0] != both[1]}
                lines.append(f"{step['op']} {step['urn']}: {step.get('detailedDiff')} {differing}")
        lines += [str(message["message"]) for message in document.get("diagnostics") or () if message.get("message")]
    return "\n".join(lines)


def _operations(text: str) -> dict[str, str]:
    """By the resource's name; nothing for commands that print no steps."""
    found: dict[str, str] = {}
    for document in _documents(text):
        for step in document.get("steps") or ():
            if step["op"] not in ("same", "read", "refresh"):
                found[step["urn"].split("::", 3)[-1]] = step["op"]
        event = document.get("resOutputsEvent") or {}
        metadata = event.get("metadata") or {}
        if metadata and metadata["op"] not in ("same", "read", "refresh"):
            found[metadata["urn"].split("::", 3)[-1]] = metadata["op"]
    return found


def _documents(text: str) -> list[Any]:
    """One document, or one on each line."""
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


OFFICIAL, EMBEDDED = Official(), Embedded()
