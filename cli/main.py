"""The `strata` command."""

import atexit
import gc
import io
import os
import sys
import traceback

import typer

from cli import outputs, stacks
from cli.applications import app as applications_app
from cli.cancel import cancel
from cli.config import config
from cli.errors import explain
from cli.forward import forward
from cli.graph import graph
from cli.images import app as images_app
from cli.policy import policy
from cli.render import render
from cli.terminal import complain
from cli.verify import verify
from engine.errors import ExitCode

app = typer.Typer(
    help="The storage layer of an application platform: Postgres, Redis, Qdrant and S3, on this host or in a cluster.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(stacks.up)
app.command()(stacks.preview)
app.command()(stacks.refresh)
app.command()(stacks.destroy)
app.command()(cancel)
app.command()(outputs.outputs)
app.command()(outputs.contract)
app.command()(config)
app.command()(verify)
app.command()(forward)
app.command()(policy)
app.command()(graph)
app.command()(render)
app.add_typer(applications_app, name="app")
app.add_typer(images_app, name="images")


def main() -> None:
    """Runs the command. Errors are one message on stderr; STRATA_DEBUG=1 adds the traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show must not end a run
    atexit.register(gc.freeze)  # spares the interpreter its last collection, 0.15 s for memory that goes anyway
    try:
        app()
    except KeyboardInterrupt:
        complain("cancelled")
        sys.exit(ExitCode.CANCELLED)
    except Exception as error:  # noqa: BLE001 - the boundary: nobody should meet a traceback
        if os.environ.get("STRATA_DEBUG"):
            traceback.print_exc()
        message, exit_code = explain(error)
        complain(message)
        sys.exit(exit_code)


if __name__ == "__main__":
    main()
