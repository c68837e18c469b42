"""A small program on a real Docker daemon, in two versions, and what the daemon has of it."""

from dataclasses import dataclass
from typing import Any

from tests.engine.direct import Registering
from tests.engine.docker.conftest import CONTAINER, NETWORK, VOLUME, labels

PASSWORD = "random:index/randomPassword:RandomPassword"


@dataclass(frozen=True)
class Containers:
    """`second` changes a network's container, drops another one and adds a volume."""

    prefix: str
    image: str
    second: bool = False

    def declare(self, program: Registering) -> None:
        self._password(program)
        network = self._docker(program, NETWORK, "net", {})
        volume = self._docker(program, VOLUME, "data", {})
        more = [self._docker(program, VOLUME, "more", {})] if self.second else []
        self._container(program, "web", [network, volume, *more], env="2" if self.second else "1")
        if not self.second:
            self._container(program, "job", [network], env="1")

    def _password(self, program: Registering) -> None:
        program.thing("password", {"length": 20}, type=PASSWORD, version="4.21.4")

    def _docker(self, program: Registering, type: str, name: str, inputs: dict[str, Any], **more: Any) -> Any:
        common = {"name": f"{self.prefix}-{name}", "labels": labels(owner=self.prefix, of=name)}
        return program.thing(name, {**common, **inputs}, type=type, version="5.2.0", **more)

    def _container(self, program: Registering, name: str, needs: list[Any], *, env: str) -> None:
        inputs = {
            "image": self.image,
            "command": ["/pause"],
            "stopSignal": "SIGKILL",
            "envs": [f"VERSION={env}"],
            "networksAdvanced": [{"name": f"{self.prefix}-net"}],
            "volumes": [{"containerPath": "/data", "volumeName": f"{self.prefix}-data"}] if name == "web" else [],
        }
        self._docker(program, CONTAINER, name, inputs, after=needs, delete_before_replace=True)


def world(client: Any, prefix: str) -> dict[str, Any]:
    """What the daemon has, the prefix left out: names, and what matters of each."""
    found: dict[str, Any] = {}
    for summary in client.containers(all=True, filters={"label": f"owner={prefix}"}):
        seen = client.inspect_container(summary["Id"])
        facts = {
            "running": seen["State"]["Running"],
            "env": [line for line in seen["Config"]["Env"] if line.startswith("VERSION=")],
            "volumes": sorted(mount["Name"].removeprefix(prefix) for mount in seen["Mounts"]),
            "networks": sorted(name.removeprefix(prefix) for name in seen["NetworkSettings"]["Networks"]),
        }
        found.setdefault(seen["Name"].removeprefix(f"/{prefix}"), []).append(facts)
    for network in client.networks(filters={"label": f"owner={prefix}"}):
        found.setdefault(network["Name"].removeprefix(prefix), []).append("network")
    for volume in client.volumes(filters={"label": f"owner={prefix}"})["Volumes"] or ():
        found.setdefault(volume["Name"].removeprefix(prefix), []).append("volume")
    return found
