"""`strata policy`: what the policy packs say of a stack, for people, scripts, code scanning and pull requests."""

import sys
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from cli import policies, policy_formats
from cli.engines import Options
from cli.errors import CliError
from cli.options import PolicyPackConfigOption, PolicyPackOption, StackOption
from cli.session import session_of
from cli.terminal import Terminal, complain
from engine.errors import ExitCode
from infra.workspace import Workspace, find

PolicyFormat = Literal["table", "json", "sarif", "markdown"]

_WRITERS: Final[Mapping[PolicyFormat, Callable[[policy_formats.Report], str]]] = {
    "table": policy_formats.table,
    "json": policy_formats.json_document,
    "sarif": policy_formats.sarif,
    "markdown": policy_formats.markdown,
}
_FILES: Final[Mapping[str, PolicyFormat]] = {
    "policy.json": "json",
    "policy.md": "markdown",
    "policy.sarif": "sarif",
}


def policy(
    format: Annotated[PolicyFormat, typer.Option("--format", help="`sarif` is for code scanning.")] = "table",
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write policy.json, policy.sarif and policy.md there.")
    ] = None,
    policy_pack: PolicyPackOption = None,
    policy_pack_config: PolicyPackConfigOption = None,
    stack: StackOption = "dev",
) -> None:
    """Check what `up` would make against the policies, and change nothing; exit 1 if it may not be."""
    workspace = find(stack)
    packs = policies.choose(workspace, policy_pack or (), policy_pack_config or ())
    if not packs:
        raise CliError("there is no policy pack to check with: policies/PulumiPolicy.yaml is not there")
    workspace.create_passphrase()
    session = session_of(workspace, Terminal(json_output=True), "embedded")
    outcome = session.engine.preview(Options(policy_packs=packs, json_output=True))
    found = policy_formats.Report(
        stack=stack,
        packs=outcome.report.get("policies", []),
        steps=outcome.report.get("steps", []),
        expired=tuple(expired(workspace, datetime.now(UTC).date())),
    )
    problems = _other_errors(outcome.report)
    if outcome.exit_code and problems:
        raise CliError("\n".join(problems))
    if report:
        _write(found, report)
    sys.stdout.write(_WRITERS[format](found))
    for line in found.expired:
        complain(line)
    if not found.ok:
        raise typer.Exit(ExitCode.FAILURE)


def _write(found: policy_formats.Report, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, format in _FILES.items():
            (folder / name).write_text(_WRITERS[format](found), encoding="utf-8")
    except OSError as error:
        raise CliError(f"--report {folder}: {error.strerror}; name a folder that can be written") from None


def expired(workspace: Workspace, today: date) -> list[str]:
    """The recorded exceptions of the project's own pack that hold no longer, a line each. Raises ExceptionsError."""
    from policies.rules import RULES, exceptions

    file = workspace.root / "policies" / exceptions.FILE.name
    if not file.exists():
        return []
    return [
        f"policies/{file.name}: {entry.rule} for {entry.resources} ended on {entry.expires}: renew it, if the"
        f" {entry.owner} wants that, or remove it"
        for entry in exceptions.load((rule.name for rule in RULES), file)
        if not entry.holds(today)
    ]


def _other_errors(report: Mapping[str, Any]) -> list[str]:
    """What kept the policies from being asked, besides their own verdict."""
    errors = [entry["message"] for entry in report.get("diagnostics", []) if entry["severity"] == "error"]
    return [message for message in errors if "mandatory policy violation" not in message]
