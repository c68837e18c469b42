"""A role: a login with its password, an owner, or a group."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, LiteralString

import pulumi
from pulumi.dynamic import CheckFailure, Resource

from components.slices.admin import Address, AdminRef
from components.slices.postgres import scram
from components.slices.postgres.connection import (
    MARK,
    NAME_LIMIT,
    NAME_PATTERN,
    RESERVED,
    Connection,
    catalog,
    connect,
    drop_unused,
    end_sessions,
    run,
    scalar,
)
from components.slices.resource import Props, SliceProvider, inputs_of, is_known, name_failure, with_secret_outputs

SETTING = r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*"


@dataclass(frozen=True, kw_only=True)
class RoleArgs:
    """`password` is needed for a login; only its SCRAM verifier goes to the server. `connection_limit` -1 is none.

    `settings` are session defaults of the role, such as {"statement_timeout": "30s"}. An `inherit=False` role has the
    rights of the roles in `member_of` only after SET ROLE.
    """

    admin: AdminRef
    identity: pulumi.Input[str]
    name: str
    login: bool
    password: pulumi.Input[str] | None = None
    inherit: bool = True
    member_of: Sequence[pulumi.Input[str]] = ()
    connection_limit: int = -1
    settings: Mapping[str, str] | None = None


class RoleProvider(SliceProvider):
    """Never superuser, CREATEDB, CREATEROLE, REPLICATION or BYPASSRLS. An existing role of that name is adopted."""

    compared: ClassVar = ("login", "inherit", "member_of", "connection_limit", "settings")
    replacing: ClassVar = ("name",)
    unrecorded: ClassVar = ("password",)

    def failures(self, olds: Props, news: Props) -> list[CheckFailure]:
        names = [("name", news["name"]), *(("member_of", group) for group in news.get("member_of", []))]
        found = [failure for property_, name in names for failure in name_problems(property_, name)]
        for setting in news.get("settings") or {}:
            if not re.fullmatch(SETTING, setting):
                found.append(CheckFailure("settings", f"`{setting}` is no setting's name"))
        password = news.get("password")
        if news["login"] and password is None:
            found.append(CheckFailure("password", f"the login `{news['name']}` needs a password"))
        if isinstance(password, str) and not (password and password.isascii() and password.isprintable()):
            found.append(CheckFailure("password", "a password is printable ASCII, and not empty"))
        return found

    def drifted(self, olds: Props, news: Props) -> bool:
        password = news.get("password")
        if not is_known(password):
            return False
        return bool(olds.get("verifier")) if password is None else not scram.matches(password, olds.get("verifier"))

    def apply(self, props: Props, olds: Props | None = None) -> Props:
        address, name, password = Address.of(props), props["name"], props.get("password")
        verifier = scram.verifier(password) if password else None
        with catalog(address) as connection:
            if not _exists(connection, name):
                run(connection, "CREATE ROLE {}", name)
            _set_attributes(connection, props, verifier)
            _set_groups(connection, name, props.get("member_of", []), inherit=props["inherit"])
            _set_settings(connection, name, props.get("settings") or {})
            run(connection, "COMMENT ON ROLE {} IS {mark}", name, mark=MARK + address.stack)
        return {"verifier": verifier or ""}

    def live(self, props: Props) -> Props | None:
        with connect(Address.of(props)) as connection:
            row = connection.execute(
                "SELECT rolcanlogin, rolinherit, rolconnlimit, coalesce(rolpassword, ''), oid FROM pg_authid"
                " WHERE rolname = %s",
                (props["name"],),
            ).fetchone()
            if row is None:
                return None
            login, inherit, limit, verifier, oid = row
            groups = [group for group, _ in _groups(connection, props["name"])]
            settings = _settings(connection, oid, props.get("settings") or {})
        return {
            "login": login,
            "inherit": inherit,
            "connection_limit": limit,
            "verifier": verifier,
            "member_of": groups,
            "settings": settings,
        }

    def delete(self, id_: str, props: Props) -> None:
        """Revoke the access: no login, no password, no group, no session. Drop the role if nothing depends on it.

        A role with objects, grants or policies stays, so that the data keeps its owner and a later `up` its grants.
        """
        name = props["name"]
        with connect(Address.of(props)) as connection:
            if not _exists(connection, name):
                return
            run(connection, "ALTER ROLE {} NOLOGIN PASSWORD NULL", name)
            end_sessions(connection, name)
            _set_groups(connection, name, [], inherit=False)
            drop_unused(connection, "DROP ROLE IF EXISTS {}", name)


def name_problems(property_: str, name: Any) -> list[CheckFailure]:
    """Why `name` cannot be a role's or a database's, if it cannot."""
    return name_failure(property_, name, pattern=NAME_PATTERN, limit=NAME_LIMIT, reserved=RESERVED)


def _exists(connection: Connection, name: str) -> bool:
    return bool(scalar(connection, "SELECT true FROM pg_roles WHERE rolname = %s", name))


def _set_attributes(connection: Connection, props: Props, verifier: str | None) -> None:
    statement: LiteralString = (
        "ALTER ROLE {} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
        " CONNECTION LIMIT {limit} PASSWORD {verifier} VALID UNTIL 'infinity' "
    )
    statement += "LOGIN " if props["login"] else "NOLOGIN "
    statement += "INHERIT" if props["inherit"] else "NOINHERIT"
    run(connection, statement, props["name"], limit=int(props.get("connection_limit", -1)), verifier=verifier)


def _groups(connection: Connection, name: str) -> list[tuple[str, str]]:
    """What `name` is a member of, each with the role that granted it."""
    return connection.execute(
        "SELECT granted.rolname, grantor.rolname FROM pg_auth_members JOIN pg_roles member ON member.oid = member"
        " JOIN pg_roles granted ON granted.oid = roleid JOIN pg_roles grantor ON grantor.oid = grantor"
        " WHERE member.rolname = %s",
        (name,),
    ).fetchall()


def _set_groups(connection: Connection, name: str, groups: Sequence[str], *, inherit: bool) -> None:
    """Make `name` a member of exactly `groups`."""
    for group, grantor in _groups(connection, name):
        if group not in groups:
            run(connection, "REVOKE {} FROM {} GRANTED BY {}", group, name, grantor)
    option: LiteralString = "TRUE" if inherit else "FALSE"
    for group in groups:
        run(connection, "GRANT {} TO {} WITH ADMIN FALSE, SET TRUE, INHERIT " + option, group, name)


def _set_settings(connection: Connection, name: str, settings: Mapping[str, str]) -> None:
    run(connection, "ALTER ROLE {} RESET ALL", name)
    for setting, value in settings.items():
        # FROM CURRENT stores what the server made of the value; lists such as search_path have no other safe spelling.
        connection.execute("SELECT set_config(%s, %s, true)", (setting, value))
        run(connection, "ALTER ROLE {} SET {} FROM CURRENT", name, setting.split("."))


def _settings(connection: Connection, oid: int, declared: Mapping[str, str]) -> dict[str, str]:
    """The role's settings, in the declared spelling where they mean the same (5000ms is stored as 5s)."""
    query = "SELECT unnest(setconfig) FROM pg_db_role_setting WHERE setrole = %s AND setdatabase = 0"
    stored = dict(row[0].split("=", 1) for row in connection.execute(query, (oid,)))
    for setting, value in declared.items():
        if stored.get(setting) == scalar(connection, "SELECT set_config(%s, %s, true)", setting, value):
            stored[setting] = value
    return stored


class Role(Resource, module="strata", name="Role"):
    """A Postgres role. Deleting it ends its sessions, and leaves it without login if anything depends on it."""

    name: pulumi.Output[str]

    def __init__(self, name: str, args: RoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(RoleProvider(), name, inputs_of(args, "verifier"), with_secret_outputs(opts, "verifier"))
