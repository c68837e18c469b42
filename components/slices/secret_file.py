"""A secret's two copies: the user's file on this host, and the container's on a small volume."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi.dynamic import Resource

from components.slices.resource import SliceProvider, inputs_of


@dataclass(frozen=True, kw_only=True)
class SecretFileArgs:
    """`secret` names the host's copy (see `components.secretfiles`). Without `volume` there is no container's copy.

    `files` maps a file name on the volume to its form: `plain`, `pgpass`, `scram-verifier` or `sha256`. `image` is any
    image that is present: the volume is written through a container of it that is never started.
    """

    stack: str
    secret: str
    content: pulumi.Input[str]
    volume: pulumi.Input[str] | None = None
    image: pulumi.Input[str] | None = None
    files: Mapping[str, str] | None = None
    uid: int = 0
    gid: int = 0
    labels: Mapping[str, pulumi.Input[str]] | None = None
    docker_host: str | None = None


class SecretFileProvider(SliceProvider):
    """Writes both copies; a missing or different one on the host, or a volume made anew, is a change."""

    compared: ClassVar = ("volume", "files", "uid", "gid")
    replacing: ClassVar = ("stack", "secret")


class SecretFile(Resource, module="strata", name="SecretFile"):
    """A secret in files. `digest` changes with the secret and says nothing about it."""

    secret: pulumi.Output[str]
    digest: pulumi.Output[str]

    def __init__(self, name: str, args: SecretFileArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(SecretFileProvider(), name, inputs_of(args, "digest", "volume_created"), opts)
