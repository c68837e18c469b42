"""A role: a login with its password, an owner, or a group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi.dynamic import Resource

from components.slices.admin import AdminRef
from components.slices.resource import SliceProvider, inputs_of, with_secret_outputs

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


class Role(Resource, module="strata", name="Role"):
    """A Postgres role. Deleting it ends its sessions, and leaves it without login if anything depends on it."""

    name: pulumi.Output[str]

    def __init__(self, name: str, args: RoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(RoleProvider(), name, inputs_of(args, "verifier"), with_secret_outputs(opts, "verifier"))
