"""The indexes that migrations made, and how one that was dropped or changed by hand comes back."""

from collections.abc import Mapping
from typing import Final

import psycopg

from components.slices.errors import SliceError
from components.slices.postgres.connection import Connection, message, run

# Without those that a constraint or an extension brings, and those of a partition, which follow their parent's.
FOUND: Final = """
    SELECT format('%I.%I', n.nspname, c.relname), pg_get_indexdef(c.oid)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE i.indisvalid AND NOT c.relispartition
      AND n.nspname <> 'information_schema' AND n.nspname <> 'strata' AND n.nspname NOT LIKE 'pg\\_%'
      AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = c.oid)
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = i.indrelid AND deptype = 'e')
    ORDER BY 1
"""


def find(connection: Connection) -> dict[str, str]:
    """Qualified name → the statement that makes it. An index that a failed build left behind is none."""
    return dict(connection.execute(FOUND).fetchall())


def restore(connection: Connection, owner: str, wanted: Mapping[str, str]) -> None:
    """Make those of `wanted` again that are missing or other than they were, all or none of them.

    Raises SliceError for one that cannot be made, such as on a table that is gone.
    """
    found = find(connection)
    changed = {name: definition for name, definition in wanted.items() if found.get(name) != definition}
    if not changed:
        return
    with connection.transaction():
        run(connection, "SET LOCAL ROLE {}", owner)
        for name, definition in changed.items():
            try:
                # Both are Postgres' own spelling. One that a failed build left behind has the name, too.
                connection.execute(f"DROP INDEX IF EXISTS {name}".encode())
                connection.execute(definition.encode())
            except psycopg.Error as error:
                raise SliceError(
                    f"the index {name} was removed or changed by hand in database {connection.info.dbname}, and cannot"
                    f" be made again: {message(error)}. It was: {definition}"
                ) from None
