"""`strata app`: makes a new application's folder, and shows what an application's files come to."""

import json
import re
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.errors import CliError
from cli.options import JsonOption, StackOption
from cli.terminal import Terminal
from engine.errors import ExitCode
from infra.workspace import find

app = typer.Typer(help="Applications: the folders in applications/.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Lower-case letters, digits and `_`; at most 40.")]

_CLAIM: Final = """\
# What {name} claims. Every key is described in docs/application.schema.json; applications/alfred is a longer example.
name: {name}
description: What it is, in one line

# A database of its own, called {name}. Its schema is made by the numbered files in migrations/.
postgres:
  connection_limit: 20
  statement_timeout: 30s

# Keys and channels that begin with the prefix. For a client that knows a password and no name, a Redis of its own:
# `mode: dedicated` and `server: {{memory: 128Mi, cpu: 0.5, storage: 1Gi, port: {port}}}` in the place of the prefix.
redis:
  mode: shared
  prefix: "{name}:"

# Collections are declared, since the application's token cannot make any.
qdrant:
  collections:
    {name}_documents:
      vector: {{size: 1536, distance: Cosine}}
      indexes: {{source: keyword}}

object_store:
  buckets:
    files: {{}}

# The variables of the application, in its own names: `strata config {name}` writes them. Whole files of its own are made
# from templates/<path>.j2.
config:
  DATABASE_URL: "postgresql://{{{{ postgres.username }}}}:{{{{ postgres.password | urlencode }}}}@{{{{ postgres.host }}}}:{{{{ postgres.port }}}}/{{{{ postgres.database }}}}"
  REDIS_URL: "redis://{{{{ redis.username }}}}:{{{{ redis.password | urlencode }}}}@{{{{ redis.host }}}}:{{{{ redis.port }}}}/{{{{ redis.db }}}}"
  REDIS_PREFIX: "{{{{ redis.prefix }}}}"
  QDRANT_URL: "{{{{ 'https' if qdrant.tls else 'http' }}}}://{{{{ qdrant.host }}}}:{{{{ qdrant.port }}}}"
  QDRANT_API_KEY: "{{{{ qdrant.password }}}}"
  QDRANT_COLLECTION: "{{{{ qdrant.collections['{name}_documents'].name }}}}"
  AWS_ENDPOINT_URL: "{{{{ 'https' if object_store.tls else 'http' }}}}://{{{{ object_store.host }}}}:{{{{ object_store.port }}}}"
  AWS_REGION: "{{{{ object_store.region }}}}"
  AWS_ACCESS_KEY_ID: "{{{{ object_store.username }}}}"
  AWS_SECRET_ACCESS_KEY: "{{{{ object_store.password }}}}"
  S3_BUCKET: "{{{{ object_store.buckets.files.name }}}}"
"""  # noqa: E501 - lines of a file

_MIGRATION: Final = """\
-- Runs once, as the database's owner, in one transaction. It is never edited after that: the next change is 0002_….sql.
CREATE TABLE documents (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    content jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
"""

_README: Final = """\
# {title}

What it is, and what it keeps where. `application.yaml` says what it claims, `migrations/` its schema.
"""


@app.command()
def new(name: NameArgument, stack: StackOption = "dev", json_output: JsonOption = False) -> None:
    """Make the folder of a new application, which works as it is; then add its name to `strata:applications`."""
    import yaml

    from cli import project
    from components.claims import APPLICATION_NAME, Application
    from infra import conflicts, settings
    from infra.mistakes import validate

    workspace = find(stack)
    if not re.fullmatch(APPLICATION_NAME, name):
        raise CliError(
            f"`{name}` cannot be an application's name: write at most 40 lower-case letters, digits and `_`, the first"
            " one a letter. It names a database and roles, whose names Postgres cuts at 63",
            ExitCode.BAD_USAGE,
        )
    folder = workspace.root / "applications" / name
    if folder.exists():
        raise CliError(f"{folder} exists: take another name, or remove it first")
    wanted = project.read_settings(workspace)
    text = _CLAIM.format(name=name, port=_free_port(workspace.root))
    claim = validate(Application, yaml.safe_load(text), file=f"applications/{name}/application.yaml")
    conflicts.refuse(wanted, (*settings.read_applications(wanted, workspace.root), claim))
    files = {
        folder / "application.yaml": text,
        folder / "migrations" / "0001_documents.sql": _MIGRATION,
        folder / "README.md": _README.format(title=name.replace("_", " ").capitalize()),
    }
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    terminal = Terminal(json_output=json_output)
    if json_output:
        terminal.document({"application": name, "files": [str(path) for path in files]})
        return
    for path in files:
        terminal.say(str(path.relative_to(workspace.root)))
    terminal.say(f"\nNow add a line `- {name}` to strata:applications in Pulumi.{stack}.yaml, and run:")
    terminal.say(f"  strata up --stack {stack}")
    terminal.say(f"  strata config {name} --stack {stack}")


@app.command()
def sql(name: NameArgument, stack: StackOption = "dev") -> None:
    """Print the database of an application as one script for psql: roles, rights, and its migrations in order."""
    from components.slices.postgres.migration_files import load_migrations
    from components.slices.postgres.script import script
    from infra.settings import read_application

    workspace = find(stack)
    application = read_application(workspace.root, name)
    if application.postgres is None:
        raise CliError(f"applications/{name}/application.yaml claims no postgres: there is no database to write down")
    migrations = load_migrations(workspace.root / "applications" / name / "migrations")
    sys.stdout.write(script(application, migrations))


@app.command()
def schema() -> None:
    """Print the JSON Schema of application.yaml, as docs/application.schema.json has it."""
    sys.stdout.write(schema_text())


def schema_text() -> str:
    from components.claims import Application

    document = Application.model_json_schema()
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(document, indent=2) + "\n"


def _free_port(root: Path) -> int:
    """For a Redis of its own: above those that the other folders name."""
    texts = [path.read_text(encoding="utf-8") for path in (root / "applications").glob("*/application.yaml")]
    taken = [int(port) for text in texts for port in re.findall(r"\bport: (\d+)", text)]
    return max([6379, *taken]) + 1
