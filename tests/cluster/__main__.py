"""`python -m tests.cluster`: a real Kubernetes on this machine."""

import json
import sys
import time
from typing import Annotated

import typer

from tests.cluster import parts
from tests.cluster.cluster import MOST_NODES, Cluster
from tests.cluster.errors import ClusterError
from tests.cluster.home import Home

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def _cluster() -> Cluster:
    return Cluster(Home.of_user(), lambda line: typer.echo(line, err=True))


@app.command()
def build() -> None:
    """Build the programs that a cluster consists of, unless they are there."""
    parts.build(Home.of_user(), lambda line: typer.echo(line, err=True))


@app.command()
def up(
    nodes: Annotated[
        int | None, typer.Option(min=1, max=MOST_NODES, help="How many; 3 if there is no cluster yet.")
    ] = None,
) -> None:
    """Bring the cluster up, with the state that it had."""
    cluster = _cluster()
    started = time.monotonic()
    cluster.up(nodes)
    typer.echo(f"up after {time.monotonic() - started:.1f} s: {len(cluster.nodes)} nodes", err=True)
    typer.echo(f"export KUBECONFIG={cluster.home.kubeconfig}  # kubectl, if you have none: {cluster.home.root}/kubectl")


@app.command()
def down() -> None:
    """End the cluster, and leave this machine as it was found. The cluster's state stays."""
    _cluster().down()


@app.command()
def wipe(everything: Annotated[bool, typer.Option("--all", help="The built programs, too.")] = False) -> None:
    """Take the cluster down and remove its state."""
    _cluster().wipe(everything=everything)


@app.command()
def load(images: list[str]) -> None:
    """Give every node images of this machine's Docker."""
    _cluster().load(images)


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False) -> None:
    """Say what runs. The exit status is 1 where the cluster is not up."""
    status = _cluster().status()
    if as_json:
        typer.echo(json.dumps(status, indent=2))
    else:
        for key, value in status.items():
            if isinstance(value, dict):
                for name, pid in value.items():
                    typer.echo(f"  {name:28} {'has ended' if pid is None else f'process {pid}'}")
            elif key == "memory":
                typer.echo(f"memory: {int(str(value)) / 1e6:.0f} MB")
            else:
                typer.echo(f"{key}: {', '.join(value) or '-' if isinstance(value, list) else value}")
    if not status["up"]:
        raise typer.Exit(1)


def main() -> None:
    try:
        app()
    except ClusterError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
