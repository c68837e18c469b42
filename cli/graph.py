"""`strata graph`: a picture of a stack, for people who would rather look than read."""

import sys
import webbrowser
from datetime import date
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.errors import CliError
from cli.options import JsonOption, StackOption
from cli.terminal import Terminal, complain
from components import privatefiles
from engine.errors import ExitCode
from infra import reader
from infra.workspace import find

_STDOUT: Final = Path("-")


def graph(
    stack: StackOption = "dev",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The HTML file; `-` is stdout. Default: in the state folder.")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Draw what is in a stack and who reaches what, as one HTML file; or print nodes and edges with --json."""
    if json_output and (output is not None or show):
        raise CliError("--json prints instead of drawing: leave --output and --open out", ExitCode.BAD_USAGE)
    if show and output == _STDOUT:
        raise CliError("--open needs a file: leave `--output -` out", ExitCode.BAD_USAGE)
    terminal = Terminal(json_output=json_output)
    from cli.graph_page import page
    from infra.graph import from_contract

    picture = from_contract(reader.load_from(find(stack)), stack)
    if json_output:
        terminal.document(picture.document())
        return
    text = page(picture, date.today())
    if output == _STDOUT:
        sys.stdout.write(text)
        return
    path = _write(output, stack, text)
    terminal.say(str(path))
    if show and not webbrowser.open(path.resolve().as_uri()):
        complain(f"no browser could be started: open {path} in one")


def _write(output: Path | None, stack: str, text: str) -> Path:
    """Where the user said, as any file of theirs; or in the state folder, which is private."""
    if output is not None:
        output.write_text(text, encoding="utf-8")
        return output
    path = privatefiles.state_home() / "graph" / f"{stack}.html"
    privatefiles.replace(path, text)
    return path
