"""A backend that answers its administrator: what everything inside it waits for."""

from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi.dynamic import Resource

from components.slices.admin import AdminRef
from components.slices.resource import SliceProvider, inputs_of


@dataclass(frozen=True, kw_only=True)
class ReadyArgs:
    """`backend` is `postgres` or `redis`; `deadline` in seconds. `container` and its log are quoted in errors."""

    backend: str
    admin: AdminRef
    container: pulumi.Input[str]
    container_id: pulumi.Input[str]
    deadline: float = 120
    docker_host: str | None = None


class ReadyProvider(SliceProvider):
    """Polls an authenticated round trip. `diff` asks the backend who it is, in every plan."""

    compared: ClassVar = ("container_id",)


class Ready(Resource, module="strata", name="Ready"):
    """An answering backend: its `identity` (of its data, not of its container) and its server's `version`."""

    identity: pulumi.Output[str]
    version: pulumi.Output[str]

    def __init__(self, name: str, args: ReadyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(ReadyProvider(), name, inputs_of(args, "identity", "version"), opts)
