"""Who holds a host port that a container could not get."""

import re
from collections.abc import Mapping
from typing import Any

from engine.providers.base import Properties
from engine.providers.docker.daemon import Client

# "Bind for 127.0.0.1:5432 failed: port is already allocated" is another container, and
# "listen tcp4 127.0.0.1:5432: bind: address already in use" any process of the host.
_TAKEN = re.compile(r":(?P<port>\d+)(?: failed: port is already allocated|: bind: address already in use)")


def explain_port_conflict(client: Client, inputs: Properties, text: str) -> str | None:
    """None if the daemon's text speaks of something else."""
    taken = _TAKEN.search(text)
    if taken is None:
        return None
    port = int(taken["port"])
    addresses = [item["ip"] for item in inputs.get("ports", ()) if item.get("external") == port]
    return (
        f"port {port} of {', '.join(addresses) or 'the host'} is taken by {_holder(client, port, inputs['name'])}; "
        "stop that, or choose another external port"
    )


def _holder(client: Client, port: int, own_name: str) -> str:
    for container in client.containers():
        name = container["Names"][0].removeprefix("/")
        if name != own_name and any(_publishes(item, port) for item in container["Ports"]):
            return f'container "{name}"'
    return "a process outside of Docker"


def _publishes(item: Mapping[str, Any], port: int) -> bool:
    return item.get("PublicPort") == port
