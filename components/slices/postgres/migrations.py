"""One database's migrations, in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi.dynamic import Resource

from components.slices.admin import AdminRef
from components.slices.postgres.migration_files import Migration
from components.slices.resource import SliceProvider, inputs_of


@dataclass(frozen=True, kw_only=True)
class MigrationsArgs:
    """`migrations` are all of them, in order (see `load_migrations`); they run as the role `owner`."""

    admin: AdminRef
    identity: pulumi.Input[str]
    database: str
    owner: str
    migrations: Sequence[Migration]


class MigrationsProvider(SliceProvider):
    """Applies what the table `strata.migrations` of the database does not hold yet."""

    replacing: ClassVar = ("database",)


class Migrations(Resource, module="strata", name="Migrations"):
    """The migrations of a Postgres database. Deleting this resource undoes nothing."""

    applied: pulumi.Output[list[dict[str, str]]]

    def __init__(self, name: str, args: MigrationsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(MigrationsProvider(), name, inputs_of(args, "applied"), opts)
