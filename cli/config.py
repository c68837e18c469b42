"""`strata config`: writes an application's configuration from the contract."""

from collections.abc import Iterable
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Place:
    """Where the application runs, and where its files go: the state home, or a folder of the user's."""

    view: ViewName = "host"
    folder: Path | None = None
    placeholders: bool = False


def config(
    application: Annotated[str, typer.Argument(metavar="APP", help="A name in `strata:applications`.")],
    format: Annotated[Format, typer.Option(help="How the variables are written.")] = "env",
    view: Annotated[
        ViewName, typer.Option("--from", help="Where the application runs: this host, a container, the cluster.")
    ] = "host",
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write `.env` and the other files there, for the application.")
    ] = None,
    placeholders: Annotated[
        bool, typer.Option("--placeholders", help="In its own files `${NAME:-default}` in the place of values.")
    ] = False,
    stack: StackOption = "dev",
    json_output: JsonOption = False,
) -> None:
    """Write an application's configuration (mode 0600) and say where it is."""
    from cli import project
    from infra.rendering import ConfigError

    workspace = find(stack)
    applications = project.read_applications(workspace)
    if application not in applications:
        known = ", ".join(sorted(applications)) or "(none)"
        raise ConfigError(f"the stack `{stack}` has no application `{application}`. It has: {known}")
    contract = reader.load_from(workspace)
    place = Place(view, out, placeholders)
    paths = write_files(workspace, contract, applications[application], [format], place)
    terminal = Terminal(json_output=json_output)
    if json_output:
        first, *others = map(str, paths)
        facts = {"application": application, "format": format, "from": view, "file": first, "files": others}
        terminal.document(facts)
    else:
        for path in paths:
            terminal.say(str(path))


def write_files(
    workspace: Workspace,
    contract: "StackContract",
    application: "Application",
    formats: Iterable[Format],
    place: Place,
) -> list[Path]:
    """The variables in each of the formats, then the files that the application has templates for.

    Raises ConfigError.
    """
    from infra import config_files
    from infra.rendering import Renderer

    stack, app, view = workspace.stack, application.name, place.view
    renderer = Renderer(contract, stack=stack, app=app, view=view)
    values = renderer.variables(application.config, file=f"applications/{app}/application.yaml")
    holds = f"{app} on the stack {stack}, seen from: {view}. Holds passwords: do not commit."
    again = f"{config_files.MARK} {app} --stack {stack} --from {view}"
    texts: dict[Path, str] = {}
    for format in formats:
        header = f"{holds}\n{again} --format {format}`."
        path = config_files.path(stack, app, format)
        if place.folder is not None:
            path = place.folder / (".env" if format == "env" else f"{app}.{format}")
        texts[path] = config_files.to_text(values, format, header=header)
    folder = place.folder or config_files.folder(stack, app)
    for name, template in config_files.templates(workspace.root, app).items():
        where = f"applications/{app}/templates/{name}.j2"
        text = renderer.file(template, values, name=where, placeholders=place.placeholders)
        header = f"{again} --placeholders`; .env holds the values." if place.placeholders else f"{holds}\n{again}`."
        texts[folder / name] = config_files.headed(name, text, header)
    write = config_files.write if place.folder is None else config_files.hand_out
    return [write(path, text) for path, text in texts.items()]
