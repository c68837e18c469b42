"""A database: its owner, who may connect, and what readers and writers may do in it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, LiteralString

import pulumi
from pulumi.dynamic import CheckFailure, Resource

from components.slices.admin import Address, AdminRef
from components.slices.postgres.connection import MARK, Connection, catalog, column, connect, run, scalar
from components.slices.postgres.role import name_problems
from components.slices.resource import Props, SliceProvider, inputs_of

# What a reader and a writer may do with each kind of object of the owner. Schemas come first: without USAGE on them
# nothing else counts.
GRANTS: Final[dict[str, tuple[tuple[LiteralString, LiteralString], ...]]] = {
    "readers": (("SCHEMAS", "USAGE"), ("TABLES", "SELECT"), ("SEQUENCES", "SELECT")),
    "writers": (
        ("SCHEMAS", "USAGE"),
        ("TABLES", "SELECT, INSERT, UPDATE, DELETE"),
        ("SEQUENCES", "SELECT, USAGE, UPDATE"),
    ),
}


@dataclass(frozen=True, kw_only=True)
class DatabaseArgs:
    """`readers` may SELECT what the owner has made or will make, `writers` also INSERT, UPDATE and DELETE.

    Both may connect, and so may the roles in `connect`; nobody else, and nobody but the owner may create anything.
    """

    admin: AdminRef
    identity: pulumi.Input[str]
    name: str
    owner: str
    connect: Sequence[pulumi.Input[str]] = ()
    readers: Sequence[pulumi.Input[str]] = ()
    writers: Sequence[pulumi.Input[str]] = ()


class DatabaseProvider(SliceProvider):
    """An existing database of that name is adopted with its data."""

    compared: ClassVar = ("owner", "connect", "readers", "writers")
    replacing: ClassVar = ("name",)

    def failures(self, olds: Props, news: Props) -> list[CheckFailure]:
        names = [("name", news["name"]), ("owner", news["owner"])]
        names += [(key, role) for key in ("connect", "readers", "writers") for role in news.get(key, [])]
        return [failure for key, name in names for failure in name_problems(key, name)]

    def apply(self, props: Props, olds: Props | None = None) -> Props:
        address, name, owner = Address.of(props), props["name"], props["owner"]
        with connect(address) as connection:  # CREATE DATABASE runs in no transaction
            if not _exists(connection, name):
                run(connection, "CREATE DATABASE {} OWNER {}", name, owner)
        with catalog(address) as connection:
            run(connection, "ALTER DATABASE {} OWNER TO {}", name, owner)
            run(connection, "COMMENT ON DATABASE {} IS {mark}", name, mark=MARK + address.stack)
            _set_connect(connection, name, _may_connect(props))
        with catalog(address, name) as connection:
            for key in GRANTS:
                gone = set((olds or {}).get(key, [])) - set(props.get(key, []))
                for role in sorted(gone):
                    if scalar(connection, "SELECT true FROM pg_roles WHERE rolname = %s", role):
                        _revoke(connection, owner, role)
            for key in GRANTS:
                for role in props.get(key, []):
                    _grant(connection, owner, role, key)
        return {}

    def live(self, props: Props) -> Props | None:
        with connect(Address.of(props)) as connection:
            owner = scalar(
                connection,
                "SELECT rolname FROM pg_database JOIN pg_roles ON pg_roles.oid = datdba WHERE datname = %s",
                props["name"],
            )
            if owner is None:
                return None
            may = set(_connected(connection, props["name"]))
        declared = set(_may_connect(props))
        # Who lost or got CONNECT elsewhere shows as a difference in `connect`, and the next update puts it right.
        stray = sorted(may - declared) + sorted(f"(missing) {role}" for role in declared - may)
        live: Props = {"owner": owner, "connect": [*props.get("connect", []), *stray]}
        with connect(Address.of(props), props["name"]) as connection:
            for key in GRANTS:
                roles = props.get(key, [])
                live[key] = [f"(missing) {role}" if _lacks(connection, owner, role, key) else role for role in roles]
        return live

    def delete(self, id_: str, props: Props) -> None:
        """Drop the database with its data. The caller retains it unless its user asked for this."""
        with connect(Address.of(props)) as connection:
            run(connection, "DROP DATABASE IF EXISTS {} WITH (FORCE)", props["name"])


class Database(Resource, module="strata", name="Database"):
    """A Postgres database. Declare it with `retain_on_delete`: its delete drops the data."""

    name: pulumi.Output[str]

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(DatabaseProvider(), name, inputs_of(args), opts)


def _may_connect(props: Props) -> list[str]:
    return sorted({role for key in ("connect", "readers", "writers") for role in props.get(key, [])})


def _exists(connection: Connection, name: str) -> bool:
    return bool(scalar(connection, "SELECT true FROM pg_database WHERE datname = %s", name))


def _connected(connection: Connection, name: str) -> list[str]:
    """Who may connect, besides the owner; PUBLIC is `public`."""
    query = """
        SELECT DISTINCT coalesce(rolname, 'public')
        FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) LEFT JOIN pg_roles ON oid = grantee
        WHERE datname = %s AND grantee <> datdba AND privilege_type = 'CONNECT'
    """
    return column(connection, query, name)


def _set_connect(connection: Connection, name: str, roles: Iterable[str]) -> None:
    run(connection, "REVOKE ALL ON DATABASE {} FROM PUBLIC", name)
    for role in set(_connected(connection, name)) - set(roles):
        run(connection, "REVOKE ALL ON DATABASE {} FROM {}", name, role)
    for role in roles:
        run(connection, "GRANT CONNECT ON DATABASE {} TO {}", name, role)


def _schemas(connection: Connection, owner: str) -> list[str]:
    """The owner's schemas. `public` belongs to whoever owns the database."""
    return column(
        connection,
        "SELECT nspname FROM pg_namespace WHERE nspowner IN (to_regrole(%s), to_regrole('pg_database_owner'))",
        owner,
    )


def _grant(connection: Connection, owner: str, role: str, key: str) -> None:
    """For what the owner will make, and for what is there already in a database that is adopted."""
    for kind, privileges in GRANTS[key]:
        run(connection, f"ALTER DEFAULT PRIVILEGES FOR ROLE {{}} GRANT {privileges} ON {kind} TO {{}}", owner, role)
        for schema in _schemas(connection, owner):
            where: LiteralString = "SCHEMA {}" if kind == "SCHEMAS" else f"ALL {kind} IN SCHEMA {{}}"
            run(connection, f"GRANT {privileges} ON {where} TO {{}}", schema, role)


def _lacks(connection: Connection, owner: str, role: str, key: str) -> bool:
    """Whether a right on one of the owner's tables, or on a schema of theirs, is missing."""
    query = """
        SELECT EXISTS (
            SELECT FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
            WHERE relowner = to_regrole(%s) AND relkind IN ('r', 'p', 'v', 'm') AND nspname = ANY (%s) AND NOT coalesce(
                has_schema_privilege(to_regrole(%s), n.oid, 'USAGE')
                AND has_table_privilege(to_regrole(%s), pg_class.oid, %s), false))
    """
    schemas, privileges = _schemas(connection, owner), dict(GRANTS[key])["TABLES"].split(", ")
    return any(scalar(connection, query, owner, schemas, role, role, privilege) for privilege in privileges)


def _revoke(connection: Connection, owner: str, role: str) -> None:
    for kind, _ in GRANTS["writers"]:
        run(connection, f"ALTER DEFAULT PRIVILEGES FOR ROLE {{}} REVOKE ALL ON {kind} FROM {{}}", owner, role)
        for schema in _schemas(connection, owner):
            where: LiteralString = "SCHEMA {}" if kind == "SCHEMAS" else f"ALL {kind} IN SCHEMA {{}}"
            run(connection, f"REVOKE ALL ON {where} FROM {{}}", schema, role)
