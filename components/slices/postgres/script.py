"""One application's database as one script for `psql`: what its resources make, for a server that Strata does not run.

Of passwords it knows nothing: logins are made without one, and `\\password` gives them theirs.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from components.claims import Application
from components.slices.postgres.database import GRANTS
from components.slices.postgres.migration_files import Migration, in_transaction

_HEADER: Final = """\
-- The database of {name}: roles, rights and schema. Made from applications/{name} by `strata app sql {name}`.
-- Run it as a superuser, connected to any database; it may be run again on a database that it was not finished on
-- only after that one was dropped:   psql --no-psqlrc --file init-db.sql
-- It sets no passwords. Afterwards: {passwords}
\\set ON_ERROR_STOP on
"""


def script(application: Application, migrations: Sequence[Migration]) -> str:
    """Names need no quoting: an application's claim has no others."""
    assert application.postgres is not None
    parts = [*_roles(application), *_database(application), *_schema(application, migrations)]
    passwords = ", ".join(f"\\password {role}" for role in (application.login, application.reader))
    return _HEADER.format(name=application.name, passwords=passwords) + "".join(f"\n{part}\n" for part in parts)


def _roles(application: Application) -> Iterator[str]:
    claim = application.postgres
    assert claim is not None
    limits = f"CONNECTION LIMIT {claim.connection_limit}"
    inherit = claim.login is None or claim.login.inherit
    attributes = {
        application.owner: "NOLOGIN",
        **dict.fromkeys(claim.roles, "NOLOGIN"),
        application.login: f"LOGIN {limits}" + ("" if inherit else " NOINHERIT"),
        application.reader: f"LOGIN {limits}",
    }
    for role, words in attributes.items():
        # \gexec runs what the query returns: nothing if the role is there.
        there = f"SELECT FROM pg_roles WHERE rolname = '{role}'"
        yield f"SELECT 'CREATE ROLE {role}' WHERE NOT EXISTS ({there}) \\gexec\nALTER ROLE {role} {words};"
    option = "TRUE" if inherit else "FALSE"
    for group in claim.login.member_of if claim.login else ():
        yield f"GRANT {group} TO {application.login} WITH ADMIN FALSE, SET TRUE, INHERIT {option};"
    for login in (application.login, application.reader):
        yield f"ALTER ROLE {login} SET statement_timeout = '{claim.statement_timeout}';"


def _database(application: Application) -> Iterator[str]:
    claim, name, owner = application.postgres, application.name, application.owner
    assert claim is not None
    yield f"CREATE DATABASE {name} OWNER {owner};\nREVOKE ALL ON DATABASE {name} FROM PUBLIC;"
    yield f"GRANT CONNECT ON DATABASE {name} TO {application.login}, {application.reader};"
    yield f"\\connect {name}"
    inherits = claim.login is None or claim.login.inherit
    for key, role in (("readers", application.reader), *((("writers", application.login),) if inherits else ())):
        for kind, privileges in GRANTS[key]:
            yield f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT {privileges} ON {kind} TO {role};"
        yield f"GRANT USAGE ON SCHEMA public TO {role};"


def _schema(application: Application, migrations: Sequence[Migration]) -> Iterator[str]:
    for migration in migrations:
        text = migration["sql"].strip()
        body = f"SET ROLE {application.owner};\n\n{text}\n\nRESET ROLE;\nRESET ALL;"
        if in_transaction(migration["sql"]):
            body = f"BEGIN;\n{body}\nCOMMIT;"
        yield f"-- {migration['name']}\n{body}"
