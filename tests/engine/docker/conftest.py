import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import docker
import pytest

from engine.providers.base import Call, Old, Properties
from engine.providers.docker import DockerProvider
from tests.engine.docker import tiny_image

CONTAINER = "docker:index/container:Container"
IMAGE = "docker:index/remoteImage:RemoteImage"
NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"


def call(type: str, name: str = "thing", seed: bytes = b"seed", **more: Any) -> Call:
    return Call(urn=f"urn:pulumi:test::project::{type}::{name}", type=type, name=name, random_seed=seed, **more)


def labels(**values: str) -> list[dict[str, str]]:
    return [{"label": name, "value": value} for name, value in values.items()]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@dataclass
class Workbench:
    """A provider on the real daemon, and names that no one else uses; what carries them is removed in the end."""

    provider: DockerProvider
    client: Any  # docker.APIClient
    image: str
    prefix: str = field(default_factory=lambda: f"strata-test-{os.urandom(4).hex()}")

    def name(self, suffix: str) -> str:
        return f"{self.prefix}-{suffix}"

    def check(self, type: str, inputs: Properties) -> Properties:
        return self.provider.check(call(type), None, inputs)

    def create(self, type: str, inputs: Properties) -> Old:
        checked = self.check(type, inputs)
        id, outputs = self.provider.create(call(type), checked)
        return Old(id, checked, outputs)

    def container(self, **inputs: Any) -> Properties:
        """Inputs of a container that runs until it is killed, at once."""
        basic = {"name": self.name("c"), "image": self.image, "command": ["/pause"], "stopSignal": "SIGKILL"}
        return {**basic, "labels": labels(bench=self.prefix), **inputs}

    def start(self, **inputs: Any) -> Old:
        return self.create(CONTAINER, self.container(**inputs))

    def inspect(self, made: Old) -> Any:
        return self.client.inspect_container(made.id)

    def clean(self) -> None:
        for container in self.client.containers(all=True, filters={"name": self.prefix}):
            self.client.remove_container(container["Id"], force=True, v=True)
        for network in self.client.networks(names=[self.prefix]):
            self.client.remove_network(network["Id"])
        for volume in self.client.volumes(filters={"name": self.prefix})["Volumes"] or ():
            self.client.remove_volume(volume["Name"], force=True)


@pytest.fixture(scope="session")
def client() -> Iterator[Any]:
    client = docker.APIClient(version="auto", **docker.utils.kwargs_from_env())
    yield client
    client.close()


@pytest.fixture(scope="session")
def image(client: Any) -> Iterator[str]:
    name = f"localhost/strata-test-{os.urandom(4).hex()}"
    client.import_image_from_data(tiny_image.archive(), repository=name, tag="1")
    yield f"{name}:1"
    client.remove_image(f"{name}:1", force=True)


@pytest.fixture
def bench(client: Any, image: str) -> Iterator[Workbench]:
    provider = DockerProvider()
    provider.configure({"version": "5.2.0"})
    bench = Workbench(provider, client, image)
    yield bench
    bench.clean()
    provider.close()
