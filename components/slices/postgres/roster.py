"""Revokes the logins of Postgres that no application has any more."""

from typing import ClassVar

import pulumi
from pulumi.dynamic import CheckFailure, Resource

from components.slices.admin import Address
from components.slices.postgres.connection import MARK, Connection, catalog, column, connect, end_sessions, run
from components.slices.postgres.role import name_problems
from components.slices.resource import Props, SliceProvider, inputs_of
from components.slices.roster import RosterArgs


class PostgresRosterProvider(SliceProvider):
    """A stray login that Strata made loses LOGIN and its sessions; what it owns stays.

    Strata's logins carry the comment `strata: <stack>`; a role without it is never touched.
    """

    client: ClassVar = "psycopg"
    compared: ClassVar = ("logins",)

    def failures(self, olds: Props, news: Props) -> list[CheckFailure]:
        return [failure for login in news.get("logins", []) for failure in name_problems("logins", login)]

    def identifier(self, props: Props) -> str:
        return "postgres"

    def apply(self, props: Props, olds: Props | None = None) -> Props:
        with catalog(Address.of(props)) as connection:
            stray = _stray(connection, props)
            for login in stray:
                run(connection, "ALTER ROLE {} NOLOGIN PASSWORD NULL", login)
        with connect(Address.of(props)) as connection:  # no new session can begin once the above is committed
            for login in stray:
                end_sessions(connection, login)
        return {"revoked": stray}

    def live(self, props: Props) -> Props | None:
        with connect(Address.of(props)) as connection:
            return {"logins": [*props.get("logins", []), *_stray(connection, props)]}

    def delete(self, id_: str, props: Props) -> None:
        """The list ends; every login has its own resource."""


class PostgresRoster(Resource, module="strata", name="PostgresRoster"):
    """The logins of one Postgres. `revoked` names those that lost theirs in the last run."""

    revoked: pulumi.Output[list[str]]

    def __init__(self, name: str, args: RosterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(PostgresRosterProvider(), name, inputs_of(args, "revoked"), opts)


def _stray(connection: Connection, props: Props) -> list[str]:
    query = """
        SELECT rolname FROM pg_roles
        WHERE rolcanlogin AND NOT rolsuper AND rolname <> ALL (%s)
          AND starts_with(shobj_description(oid, 'pg_authid'), %s)
        ORDER BY rolname
    """
    return column(connection, query, list(props.get("logins", [])), MARK)
