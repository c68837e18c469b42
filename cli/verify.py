"""`strata verify`: a report on a running stack, as its applications see it."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import CliError
from cli.options import JsonOption, StackOption
from cli.terminal import Terminal
from engine.errors import ExitCode
from infra import reader
from infra.choices import ViewName
from infra.workspace import find

if TYPE_CHECKING:
    from infra.checks import Check

_LINE = "=" * 70


def verify(
    applications: Annotated[
        list[str] | None, typer.Argument(metavar="[APP]...", help="Only these; default: all, and the servers' disks.")
    ] = None,
    view: Annotated[ViewName, typer.Option("--from", help="Where this command runs.")] = "host",
    stack: StackOption = "dev",
    json_output: JsonOption = False,
) -> None:
    """Check a running stack with its applications' own credentials; exit 1 if anything fails."""
    from infra import checks

    only = tuple(applications or ())
    contract = reader.load_from(find(stack))
    if unknown := [name for name in only if name not in contract.applications]:
        known = ", ".join(sorted(contract.applications)) or "(none)"
        raise CliError(f"the stack `{stack}` has no application `{unknown[0]}`. It has: {known}", ExitCode.BAD_USAGE)
    terminal = Terminal(json_output=json_output)
    report = checks.run(contract, view=view, only=only)
    passed = sum(check.ok for check in report.all)
    ok = passed == len(report.all)
    if json_output:
        applications_ = {name: [asdict(check) for check in found] for name, found in report.applications.items()}
        servers = [asdict(check) for check in report.servers]
        counts = {"ok": ok, "passed": passed, "checks": len(report.all)}
        terminal.document({"stack": stack, **counts, "applications": applications_, "servers": servers})
    else:
        terminal.say(_LINE)
        terminal.say("Storage Services Health Check", style="bold")
        terminal.say(_LINE)
        for name, found in report.applications.items():
            _section(terminal, name, found)
        if report.servers:
            _section(terminal, "servers", report.servers)
        terminal.say(f"\n{_LINE}")
        if ok:
            terminal.say(f"All checks passed! ({passed}/{len(report.all)})", style="bold green")
            terminal.say("Storage layer is ready for use.")
        else:
            failed = len(report.all) - passed
            terminal.say(f"{failed} of {len(report.all)} checks failed.", style="bold red")
        terminal.say(_LINE)
    if not ok:
        raise typer.Exit(ExitCode.FAILURE)


def _section(terminal: Terminal, title: str, found: "list[Check]") -> None:
    passed = sum(check.ok for check in found)
    terminal.say(f"\n{title}: {passed}/{len(found)}", style="bold")
    width = max((len(check.name) for check in found), default=0)
    for check in found:
        mark, style = ("✓ OK    ", "green") if check.ok else ("✗ FAILED", "red")
        terminal.say(f"{mark}  {check.name:<{width}}  {check.text}  ({check.milliseconds:.0f} ms)", style=style)
        if check.hint and not check.ok:
            terminal.say(f"{'':8}  {'':{width}}  {check.hint}")
