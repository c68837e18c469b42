"""An application's database on a test server: its roles, its rights and its migrations, as its claim has them."""

from pathlib import Path

import psycopg
import yaml
from psycopg.rows import TupleRow

from components.claims import Application
from components.slices import load_migrations
from components.slices.admin import Address
from components.slices.postgres.connection import connect as admin_session
from components.slices.postgres.database import DatabaseProvider
from components.slices.postgres.migrations import MigrationsProvider
from components.slices.postgres.role import RoleProvider
from tests.slices.servers import Server

PASSWORD = "pass"
APPLICATIONS = Path(__file__).parents[2] / "applications"


def make(server: Server, name: str) -> Application:
    """The owner cannot log in; the login and the one that only reads have the same password."""
    folder = APPLICATIONS / name
    claim = Application.model_validate(yaml.safe_load((folder / "application.yaml").read_text(encoding="utf-8")))
    assert claim.postgres
    for role in (claim.owner, *claim.postgres.roles):
        _role(server, role)
    limit = float(claim.postgres.connection_limit)
    login = claim.postgres.login
    groups = {"inherit": login.inherit, "member_of": list(login.member_of)} if login else {}
    _role(server, claim.login, login=True, password=PASSWORD, connection_limit=limit, **groups)
    _role(server, claim.reader, login=True, password=PASSWORD, connection_limit=limit)
    writers = [claim.login] if not login or login.inherit else []
    database = {"name": name, "owner": claim.owner, "connect": [claim.login], "readers": [claim.reader]}
    DatabaseProvider().create(server.props(**database, writers=writers))
    migrations = load_migrations(folder / "migrations")
    MigrationsProvider().create(server.props(database=name, owner=claim.owner, migrations=migrations))
    return claim


def connect(server: Server, claim: Application, role: str | None = None) -> psycopg.Connection[TupleRow]:
    """As the application's login, or as another of its roles that can log in."""
    return psycopg.connect(
        host="127.0.0.1", port=server.port, dbname=claim.name, user=role or claim.login, password=PASSWORD
    )


def analyze(server: Server, claim: Application) -> None:
    """Tells the planner what is in the tables."""
    with admin_session(Address.of(server.props()), claim.name) as admin:
        admin.execute("VACUUM ANALYZE")


def plan(session: psycopg.Connection[TupleRow], statement: str) -> str:
    """How Postgres carries a statement out, and what it looks at for that."""
    rows = session.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement}".encode()).fetchall()
    return "\n".join(row[0] for row in rows)


def _role(server: Server, name: str, **more: object) -> None:
    standard = {"login": False, "inherit": True, "member_of": [], "connection_limit": -1.0}
    RoleProvider().create(server.props(name=name, **{**standard, **more}))
