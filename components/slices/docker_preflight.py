"""What must be true on a Docker host before anything is changed there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import pulumi
from pulumi.dynamic import Resource

from components.slices.resource import SliceProvider, inputs_of

GIB = 1024**3


@dataclass(frozen=True, kw_only=True)
class PortClaim:
    """A port of this host that `container` will publish; `setting` is the YAML key that changes it."""

    host: str
    port: int
    container: str
    setting: str


@dataclass(frozen=True, kw_only=True)
class PreflightArgs:
    """Names of what this stack is about to have on the daemon.

    Containers and networks of another state, or of none, are refused; volumes are adopted and named in `adopted`.
    """

    stack: str
    state_id: pulumi.Input[str]
    containers: Sequence[str] = ()
    networks: Sequence[str] = ()
    volumes: Sequence[str] = ()
    images: Sequence[str] = ()
    ports: Sequence[PortClaim] = field(default=())
    docker_host: str | None = None
    free_bytes: int = GIB


class DockerPreflightProvider(SliceProvider):
    """Everything happens in `check`, which runs in every plan."""

    compared: ClassVar = ("containers", "networks", "volumes", "images", "ports", "adopted")


class DockerPreflight(Resource, module="strata", name="DockerPreflight"):
    """Refuses what would fail half-way, or take what is not this stack's."""

    adopted: pulumi.Output[list[str]]

    def __init__(self, name: str, args: PreflightArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(DockerPreflightProvider(), name, inputs_of(args, "adopted"), opts)
