"""What the tests of roles, databases and rosters do with a Postgres."""

from typing import Any

import psycopg

from components.slices.admin import Address
from components.slices.postgres.connection import connect
from components.slices.postgres.database import DatabaseProvider
from components.slices.postgres.role import RoleProvider
from components.slices.postgres.roster import PostgresRosterProvider
from components.slices.resource import Props
from tests.slices.servers import Server

PASSWORD = "secret-1"
ROLE, DATABASE, ROSTER = RoleProvider(), DatabaseProvider(), PostgresRosterProvider()


def login(server: Server, name: str, **more: Any) -> Props:
    standard: Props = {"name": name, "login": True, "inherit": True, "password": PASSWORD, "connection_limit": -1.0}
    return server.props(**{**standard, **more})


def made(props: Props) -> Props:
    outputs = ROLE.create(props).outs
    assert outputs is not None
    return outputs


def enter(server: Server, user: str, password: str = PASSWORD, database: str = "postgres") -> psycopg.Connection[Any]:
    return psycopg.connect(
        host="127.0.0.1", port=server.port, user=user, password=password, dbname=database, autocommit=True
    )


def admin_query(server: Server, statement: str, *params: Any, database: str = "postgres") -> Any:
    with connect(Address.of(server.props()), database) as admin:
        return admin.execute(statement.encode(), params).fetchall()


def give_database(server: Server, name: str, **more: Any) -> Props:
    made(login(server, f"{name}_owner", login=False, password=None))
    outputs = DATABASE.create(server.props(name=name, owner=f"{name}_owner", **more)).outs
    assert outputs is not None
    return outputs
