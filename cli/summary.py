"""The last lines of `up` and `destroy`: what a user needs next."""

from pathlib import Path

from rich.padding import Padding
from rich.table import Table

from cli.smoke import Smoke
from cli.terminal import Terminal
from infra.contract import Backends, StackContract
from infra.workspace import Workspace


def say_up(
    terminal: Terminal,
    workspace: Workspace,
    contract: StackContract,
    files: dict[str, list[Path]],
    checks: Smoke | None,
    volumes: list[str],
) -> None:
    terminal.say()
    passed = f"{checks.passed} quick smoke tests passed in {checks.seconds:.1f} s" if checks else "smoke tests skipped"
    terminal.say(f"The stack {workspace.stack} is up; {passed}. Policies were not run.", style="bold green")
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for row in _endpoints(contract):
        table.add_row(*row)
    for name, paths in files.items():
        others = ", ".join(path.suffix for path in paths[1:])
        table.add_row(f"{name}'s configuration", f"{paths[0]} (also {others})")
    if volumes:
        table.add_row("data", f"volumes {', '.join(volumes)}")
    table.add_row("all checks", f"pytest tests/smoke --stack {workspace.stack}")
    table.add_row("stop, keeping the data", f"strata destroy --stack {workspace.stack}")
    terminal.console.print(Padding(table, (0, 0, 0, 2)), soft_wrap=False)


def say_destroyed(terminal: Terminal, workspace: Workspace, volumes: list[str], removed: list[Path]) -> None:
    terminal.say()
    terminal.say(f"The stack {workspace.stack} is destroyed.", style="bold")
    if removed:
        terminal.say(f"  Removed configuration files, whose passwords open nothing any more: {removed[0].parent}")
    if volumes:
        terminal.say(f"  Kept data: the volumes {', '.join(volumes)}. The next `strata up` finds it again.")
        terminal.say(f"  To delete it for good: docker volume rm {' '.join(volumes)}")


def _endpoints(contract: StackContract) -> list[tuple[str, str]]:
    rows = []
    for name in Backends.model_fields:
        backend = getattr(contract.backends, name)
        if backend is None:
            continue
        views = [f"{view.host}:{view.port} ({place})" for place, view in backend.views.items()]
        rows.append((f"{name} {backend.version}", ", ".join(views)))
    return rows
