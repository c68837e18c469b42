"""An ACL user that reaches the keys and channels of one prefix."""

from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi.dynamic import Resource

from components.slices.admin import AdminRef
from components.slices.resource import SliceProvider, inputs_of, with_secret_outputs


@dataclass(frozen=True, kw_only=True)
class RedisUserArgs:
    """`prefix` ends in a separator, such as `alfred:`. Only the password's SHA-256 goes to the server."""

    admin: AdminRef
    identity: pulumi.Input[str]
    name: str
    password: pulumi.Input[str]
    prefix: str


class RedisUserProvider(SliceProvider):
    """An existing user of that name is adopted."""

    compared: ClassVar = ("prefix",)
    replacing: ClassVar = ("name",)


class RedisUser(Resource, module="strata", name="RedisUser"):
    """A user of Redis. Deleting it ends its connections; its keys stay."""

    name: pulumi.Output[str]

    def __init__(self, name: str, args: RedisUserArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = ("rules", "granted")
        super().__init__(RedisUserProvider(), name, inputs_of(args, *outputs), with_secret_outputs(opts, *outputs))
