"""`strata config`: writes an application's configuration file from the contract."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import JsonOption, StackOption
from cli.terminal import Terminal
from infra import reader
from infra.choices import Format, ViewName
from infra.workspace import Workspace, find

if TYPE_CHECKING:
    from components.claims import Application
    from infra.contract import StackContract


def config(
    application: Annotated[str, typer.Argument(metavar="APP", help="A name in `strata:applications`.")],
    format: Annotated[Format, typer.Option(help="How the file is written.")] = "env",
    view: Annotated[
        ViewName, typer.Option("--from", help="Where the application runs: this host, a container, the cluster.")
    ] = "host",
    stack: StackOption = "dev",
    json_output: JsonOption = False,
) -> None:
    """Write an application's configuration file (mode 0600) and say where it is."""
    from cli import project
    from infra import config_files

    workspace = find(stack)
    applications = project.read_applications(workspace)
    if application not in applications:
        known = ", ".join(sorted(applications)) or "(none)"
        raise config_files.ConfigError(f"the stack `{stack}` has no application `{application}`. It has: {known}")
    contract = reader.load_from(workspace)
    (path,) = write_files(workspace, contract, applications[application], [format], view)
    terminal = Terminal(json_output=json_output)
    if json_output:
        terminal.document({"application": application, "format": format, "from": view, "file": str(path)})
    else:
        terminal.say(str(path))


def write_files(
    workspace: Workspace,
    contract: "StackContract",
    application: "Application",
    formats: Iterable[Format],
    view: ViewName,
) -> list[Path]:
    """Renders the application's variables, and writes a file in each of the formats. Raises ConfigError."""
    from infra import config_files

    values = config_files.render(
        contract,
        stack=workspace.stack,
        app=application.name,
        view=view,
        templates=application.config,
        file=f"applications/{application.name}/application.yaml",
    )
    paths = []
    for format in formats:
        header = (
            f"{application.name} on the stack {workspace.stack}, seen from: {view}. Holds passwords: do not commit.\n"
            f"Written by `strata config {application.name} --stack {workspace.stack} --format {format} --from {view}`."
        )
        text = config_files.to_text(values, format, header=header)
        paths.append(config_files.write(workspace.stack, application.name, format, text))
    return paths
