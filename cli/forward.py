"""`strata forward`: holds the backends of a cluster on ports of this machine, for tools of people."""

import signal
import threading
from typing import Annotated

import typer

from cli.errors import CliError
from cli.options import StackOption
from cli.terminal import Terminal
from engine.errors import ExitCode
from infra import reader
from infra.workspace import find


def forward(
    servers: Annotated[
        list[str] | None, typer.Argument(metavar="[SERVER]...", help="Such as postgres or redis-praval; default: all.")
    ] = None,
    stack: StackOption = "prod",
) -> None:
    """Hold the ports of this machine that configuration files `--from host` name, until Ctrl-C."""
    from infra.access import reached
    from infra.contract import PortForward

    contract = reader.load_from(find(stack))
    terminal = Terminal(json_output=False)
    known = {
        name: server.views["host"]
        for name, server in contract.servers.items()
        if "host" in server.views and isinstance(server.views["host"].access, PortForward)
    }
    if not known:
        raise CliError(f"the stack `{stack}` needs no forward: its backends are on this machine's ports already")
    wanted = servers or list(known)
    if unknown := [name for name in wanted if name not in known]:
        raise CliError(f"the stack `{stack}` has no {unknown[0]}. It has: {', '.join(known)}", ExitCode.BAD_USAGE)
    for name in wanted:
        view = known[name]
        ports = {view.port: reached(view)[1]}
        if view.grpc_port is not None:
            ports[view.grpc_port] = reached(view, grpc=True)[1]
        for port, held in ports.items():
            if port != held:
                raise CliError(f"port {port} of this machine is taken: stop what listens there, or change the setting")
        terminal.say(f"{name}: {', '.join(f'{view.host}:{port}' for port in ports)}")
    terminal.say("Ctrl-C ends it.")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    while not stop.wait(1):  # a wait without an end would not see Ctrl-C
        pass
