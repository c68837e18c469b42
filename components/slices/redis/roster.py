"""Removes the users of Redis that no application has any more."""

from typing import ClassVar

import pulumi
from pulumi.dynamic import CheckFailure, Resource

from components.slices.admin import Address
from components.slices.redis.connection import Connection, connect, name_problems
from components.slices.redis.user import is_marked
from components.slices.resource import Props, SliceProvider, inputs_of
from components.slices.roster import RosterArgs


class RedisRosterProvider(SliceProvider):
    """A stray user that Strata made is removed and its connections end; its keys stay.

    Strata's users carry a mark (see `components.slices.redis.user.mark`); a user without it is never touched.
    """

    client: ClassVar = "redis"
    compared: ClassVar = ("logins",)

    def failures(self, olds: Props, news: Props) -> list[CheckFailure]:
        return [failure for login in news.get("logins", []) for failure in name_problems("logins", login)]

    def identifier(self, props: Props) -> str:
        return "redis"

    def apply(self, props: Props, olds: Props | None = None) -> Props:
        with connect(Address.of(props)) as connection:
            stray = _stray(connection, props)
            if stray:
                connection.command("ACL DELUSER", *stray)
                connection.save()
        return {"revoked": stray}

    def live(self, props: Props) -> Props | None:
        with connect(Address.of(props)) as connection:
            return {"logins": [*props.get("logins", []), *_stray(connection, props)]}

    def delete(self, id_: str, props: Props) -> None:
        """The list ends; every user has its own resource."""


class RedisRoster(Resource, module="strata", name="RedisRoster"):
    """The users of one Redis. `revoked` names those that the last run removed."""

    revoked: pulumi.Output[list[str]]

    def __init__(self, name: str, args: RosterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(RedisRosterProvider(), name, inputs_of(args, "revoked"), opts)


def _stray(connection: Connection, props: Props) -> list[str]:
    declared = props.get("logins", [])
    return sorted(name for name, rules in connection.users().items() if is_marked(rules) and name not in declared)
