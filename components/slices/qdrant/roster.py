"""Ends access to Qdrant that no application has any more."""

from typing import ClassVar

import pulumi
from pulumi.dynamic import CheckFailure, Resource

from components.slices.admin import Address
from components.slices.qdrant import logins
from components.slices.qdrant.connection import Connection, connect
from components.slices.resource import Props, SliceProvider, inputs_of
from components.slices.roster import RosterArgs


class QdrantRosterProvider(SliceProvider):
    """A stray login is removed and its tokens are refused; collections stay. All logins of Qdrant are Strata's."""

    client: ClassVar = "urllib3"
    compared: ClassVar = ("logins",)

    def failures(self, olds: Props, news: Props) -> list[CheckFailure]:
        return []

    def identifier(self, props: Props) -> str:
        return "qdrant"

    def apply(self, props: Props, olds: Props | None = None) -> Props:
        with connect(Address.of(props)) as connection:
            stray = _stray(connection, props)
            if stray:
                logins.remove(connection, *stray)
        return {"revoked": stray}

    def live(self, props: Props) -> Props | None:
        with connect(Address.of(props)) as connection:
            return {"logins": [*props.get("logins", []), *_stray(connection, props)]}

    def delete(self, id_: str, props: Props) -> None:
        """The list ends; every login has its own resource."""


class QdrantRoster(Resource, module="strata", name="QdrantRoster"):
    """The logins of one Qdrant. `revoked` names those that the last run removed."""

    revoked: pulumi.Output[list[str]]

    def __init__(self, name: str, args: RosterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(QdrantRosterProvider(), name, inputs_of(args, "revoked"), opts)


def _stray(connection: Connection, props: Props) -> list[str]:
    declared = props.get("logins", [])
    return [name for name in logins.names(connection) if name not in declared]
