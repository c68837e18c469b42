"""Revokes the logins of Postgres that no application has any more."""

from typing import ClassVar

import pulumi
from pulumi.dynamic import Resource

from components.slices.resource import SliceProvider, inputs_of
from components.slices.roster import RosterArgs


class PostgresRosterProvider(SliceProvider):
    """A stray login that Strata made loses LOGIN and its sessions; what it owns stays."""

    compared: ClassVar = ("logins",)


class PostgresRoster(Resource, module="strata", name="PostgresRoster"):
    """The logins of one Postgres. `revoked` names those that lost theirs in the last run."""

    revoked: pulumi.Output[list[str]]

    def __init__(self, name: str, args: RosterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(PostgresRosterProvider(), name, inputs_of(args, "revoked"), opts)
