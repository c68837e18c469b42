"""One database's migrations, in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi.dynamic import CheckFailure, Resource

from components.slices.admin import Address, AdminRef
from components.slices.postgres import migration_files
from components.slices.postgres.connection import connect, scalar
from components.slices.postgres.migration_files import Migration
from components.slices.postgres.role import name_problems
from components.slices.resource import Props, SliceProvider, inputs_of


@dataclass(frozen=True, kw_only=True)
class MigrationsArgs:
    """`migrations` are all of them, in order (see `load_migrations`); they run as the role `owner`."""

    admin: AdminRef
    identity: pulumi.Input[str]
    database: str
    owner: str
    migrations: Sequence[Migration]


class MigrationsProvider(SliceProvider):
    """Applies what the table `strata.migrations` of the database does not hold yet.

    What was previewed is what is applied: the SQL itself is an input. An applied migration that was edited or removed
    is refused in every plan, from the inputs of the last run, and again from the table before anything is applied.
    `indexes` are those that the migrations left, `live_indexes` what a refresh found of them.
    """

    replacing: ClassVar = ("database",)
    unrecorded: ClassVar = ("migrations",)

    def failures(self, olds: Props, news: Props) -> list[CheckFailure]:
        found = [failure for key in ("database", "owner") for failure in name_problems(key, news[key])]
        for migration in news.get("migrations", []):
            found += [CheckFailure("migrations", problem) for problem in migration_files.problems(migration)]
        if olds.get("database") == news["database"]:
            history = [(migration["name"], migration["checksum"]) for migration in olds.get("migrations", [])]
            problems = migration_files.broken_history(history, news.get("migrations", []))
            found += [CheckFailure("migrations", problem) for problem in problems]
        return found

    def drifted(self, olds: Props, news: Props) -> bool:
        pending = olds.get("applied", []) != _names(news.get("migrations", []))
        return bool(pending or olds.get("indexes") != olds.get("live_indexes"))

    def identifier(self, props: Props) -> str:
        return str(props["database"])

    def apply(self, props: Props, olds: Props | None = None) -> Props:
        from components.slices.postgres import migration_runner  # with the driver, which the program need not wait for

        # Before the migrations, which may go on to change them. A volume that was replaced never had them.
        same = olds is not None and olds.get("identity") == props["identity"]
        kept = (olds or {}).get("indexes") or {} if same else {}
        migrations = props.get("migrations", [])
        indexes = migration_runner.apply(Address.of(props), props["database"], props["owner"], migrations, kept)
        return {"applied": _names(migrations), "indexes": indexes, "live_indexes": indexes}

    def live(self, props: Props) -> Props | None:
        from components.slices.postgres import migration_runner  # see `apply`

        address, database = Address.of(props), props["database"]
        with connect(address) as connection:
            if not scalar(connection, "SELECT true FROM pg_database WHERE datname = %s", database):
                return None
        done, indexes = migration_runner.live(address, database)
        kept = props.get("indexes")
        if kept is None:  # of a state from before they were recorded
            return {"applied": done}
        return {"applied": done, "live_indexes": {name: indexes[name] for name in kept if name in indexes}}

    def delete(self, id_: str, props: Props) -> None:
        """Migrations are not undone: what they made is data."""


class Migrations(Resource, module="strata", name="Migrations"):
    """The migrations of a Postgres database. `applied` lists {name, checksum} of each."""

    applied: pulumi.Output[list[dict[str, str]]]

    def __init__(self, name: str, args: MigrationsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(MigrationsProvider(), name, inputs_of(args, "applied", "indexes", "live_indexes"), opts)


def _names(migrations: Sequence[Migration]) -> list[dict[str, str]]:
    return [{"name": migration["name"], "checksum": migration["checksum"]} for migration in migrations]
