"""Removes the users of Redis that no application has any more."""

from typing import ClassVar

import pulumi
from pulumi.dynamic import Resource

from components.slices.resource import SliceProvider, inputs_of
from components.slices.roster import RosterArgs


class RedisRosterProvider(SliceProvider):
    """A stray user that Strata made is removed and its connections end; its keys stay."""

    compared: ClassVar = ("logins",)


class RedisRoster(Resource, module="strata", name="RedisRoster"):
    """The users of one Redis. `revoked` names those that the last run removed."""

    revoked: pulumi.Output[list[str]]

    def __init__(self, name: str, args: RosterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(RedisRosterProvider(), name, inputs_of(args, "revoked"), opts)
