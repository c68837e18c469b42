"""Who holds a host port that a container could not get."""

import re
from collections.abc import Mapping
from typing import Any

from engine.providers.base import Properties
from engine.providers.docker.daemon import Client

_TAKEN = re.compile(
    r"Bind for \S*:(\d+) failed: port is already allocated"  # another container
    r"|listen \w+ \S*:(\d+): bind: address already in use"  # any process of the host
    r"|failed to bind host port (?:for )?\S*?:(\d+)[:/]\S*: address already in use"  # the same, since Docker 28
)


def explain_port_conflict(client: Client, inputs: Properties, text: str) -> str | None:
    """None if the daemon's text speaks of something else."""
    port = taken_port(text)
    if port is None:
        return None
    addresses = [item["ip"] for item in inputs.get("ports", ()) if item.get("external") == port]
    return (
        f"port {port} of {', '.join(addresses) or 'the host'} is taken by {_holder(client, port, inputs['name'])}; "
        "stop that, or choose another external port"
    )


def taken_port(text: str) -> int | None:
    found = _TAKEN.search(text)
    return int(found[found.lastindex or 0]) if found else None


def _holder(client: Client, port: int, own_name: str) -> str:
    for container in client.containers():
        name = container["Names"][0].removeprefix("/")
        if name != own_name and any(_publishes(item, port) for item in container["Ports"]):
            return f'container "{name}"'
    return "a process outside of Docker"


def _publishes(item: Mapping[str, Any], port: int) -> bool:
    return item.get("PublicPort") == port
