"""The last lines of `up` and `destroy`: what a user needs next."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.smoke import Smoke
from cli.terminal import Terminal
from infra.workspace import Workspace

if TYPE_CHECKING:
    from infra.contract import StackContract


@dataclass(frozen=True, kw_only=True)
class Data:
    """Volumes: those of the stack, those that this `up` adopted, and those that it kept when their claim ended."""

    volumes: list[str]
    adopted: list[str]
    left: list[str]


def say_up(
    terminal: Terminal,
    workspace: Workspace,
    contract: "StackContract",
    files: dict[str, list[Path]],
    checks: Smoke | None,
    data: Data,
    *,
    policies_ran: bool,
) -> None:
    terminal.say()
    if data.adopted:
        names = ", ".join(data.adopted)
        terminal.say(f"Volumes of an earlier state were adopted with their data: {names}.", style="yellow")
    if data.left:
        names = ", ".join(data.left)
        terminal.say(f"No longer part of the stack, and kept with their data: the volumes {names}.", style="yellow")
        terminal.say(f"  To delete it for good: docker volume rm {' '.join(data.left)}")
    passed = _passed(checks)
    policies = "policies passed" if policies_ran else "no policy pack was run"
    terminal.say(f"The stack {workspace.stack} is up; {passed}; {policies}.", style="bold green")
    rows = _endpoints(contract)
    for name, paths in files.items():
        home = paths[0].parent
        others = ", ".join(p.suffix if p.parent == home else str(p.relative_to(home)) for p in paths[1:])
        rows.append((f"{name}'s configuration", f"{paths[0]} (also {others})"))
    if data.volumes:
        rows.append(("data", f"volumes {', '.join(data.volumes)}"))
    rows.append(("all checks", f"pytest tests/smoke --stack {workspace.stack}"))
    rows.append(("stop, keeping the data", f"strata destroy --stack {workspace.stack}"))
    terminal.columns(*rows, indent="  ")


def say_destroyed(
    terminal: Terminal, workspace: Workspace, volumes: list[str], removed: list[Path], deleted: list[str]
) -> None:
    terminal.say()
    terminal.say(f"The stack {workspace.stack} is destroyed.", style="bold")
    if removed:
        terminal.say(f"  Removed configuration files, whose passwords open nothing any more: {removed[0].parent}")
    if deleted:
        terminal.say(f"  Deleted for good: the volumes {', '.join(deleted)} with their data.")
    if volumes:
        terminal.say(f"  Kept data: the volumes {', '.join(volumes)}. The next `strata up` finds it again.")
        terminal.say(f"  To delete it for good: {' && '.join(_removal(volumes))}")


def _removal(volumes: list[str]) -> list[str]:
    """The commands that delete volumes of Docker, or claims as `<namespace>/<name>`."""
    claims = [name.split("/") for name in volumes if "/" in name]
    if not claims:
        return [f"docker volume rm {' '.join(volumes)}"]
    namespaces = dict.fromkeys(namespace for namespace, _ in claims)
    return [f"kubectl delete namespace {' '.join(namespaces)}"]


def _passed(checks: Smoke | None) -> str:
    if checks is None:
        return "smoke tests skipped"
    if checks.passed == 0:
        return "no smoke tests, since it has no application"
    return f"{checks.passed} quick smoke tests passed in {checks.seconds:.1f} s"


def _endpoints(contract: "StackContract") -> list[tuple[str, str]]:
    rows = []
    for name, backend in contract.servers.items():
        views = [
            f"{view.host}:{view.port}{f' and :{view.grpc_port}' if view.grpc_port else ''} ({place})"
            for place, view in backend.views.items()
        ]
        rows.append((f"{name} {backend.version}", ", ".join(views)))
    return rows
