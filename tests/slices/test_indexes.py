"""Indexes that were dropped or changed by hand: a refresh finds them, and the next `up` makes them again."""

import pytest

from components.slices import Migration, SliceError
from components.slices.admin import Address
from components.slices.postgres.connection import connect
from components.slices.resource import Props
from tests.slices.servers import Server
from tests.slices.test_migrations import PROVIDER, migration, outputs, props, query

pytestmark = pytest.mark.docker

TABLE = migration(
    1,
    "CREATE TABLE items (id int PRIMARY KEY, kind text UNIQUE, at date, tags jsonb);\n"
    "CREATE INDEX items_at ON items (at DESC);\n"
    'CREATE INDEX "Tags" ON items USING gin (tags);',
)
MORE = migration(2, "DROP INDEX items_at;\nCREATE INDEX items_kind_at ON items (kind, at);")


def by_hand(server: Server, database: str, change: str) -> None:
    with connect(Address.of(server.props()), database) as connection:
        connection.execute(change.encode())


def indexes(server: Server, database: str) -> set[str]:
    return {row[0] for row in query(server, database, "SELECT indexname FROM pg_indexes WHERE tablename = 'items'")}


def refreshed(server: Server, database: str, made: Props, *migrations: Migration) -> Props:
    """The outputs after a refresh."""
    outs = PROVIDER.read(database, {**props(server, database, *migrations), **made}).outs
    assert outs is not None
    return dict(outs)


@pytest.mark.parametrize("change", ["DROP INDEX items_at", 'DROP INDEX "Tags"', "ALTER INDEX items_at RENAME TO other"])
def test_a_dropped_index_is_found_and_made_again(postgres: Server, database: str, change: str) -> None:
    made, before = outputs(postgres, database, TABLE), indexes(postgres, database)
    assert refreshed(postgres, database, made, TABLE)["live_indexes"] == made["indexes"]
    by_hand(postgres, database, change)
    found = refreshed(postgres, database, made, TABLE)
    assert PROVIDER.diff("", found, props(postgres, database, TABLE)).changes is True
    repaired = PROVIDER.update("", found, props(postgres, database, TABLE)).outs
    assert repaired is not None
    assert indexes(postgres, database) >= before
    assert PROVIDER.diff("", repaired, props(postgres, database, TABLE)).changes is False
    owner = query(postgres, database, "SELECT relowner::regrole::text FROM pg_class WHERE relname = 'items_at'")
    assert owner == [(f"{database}_owner",)], "the application's next migration could not drop it"


def test_another_index_under_the_name_is_replaced(postgres: Server, database: str) -> None:
    made = outputs(postgres, database, TABLE)
    by_hand(postgres, database, "DROP INDEX items_at; CREATE INDEX items_at ON items (id)")
    found = refreshed(postgres, database, made, TABLE)
    PROVIDER.update("", found, props(postgres, database, TABLE))
    definition = query(postgres, database, "SELECT indexdef FROM pg_indexes WHERE indexname = 'items_at'")
    assert "at DESC" in definition[0][0]


def test_what_a_later_migration_drops_stays_dropped(postgres: Server, database: str) -> None:
    made = outputs(postgres, database, TABLE)
    by_hand(postgres, database, "DROP INDEX items_at")  # by hand, and not refreshed: the migration needs it
    done = PROVIDER.update("", made, props(postgres, database, TABLE, MORE)).outs
    assert done is not None
    assert sorted(done["indexes"]) == ['public."Tags"', "public.items_kind_at"]
    assert "items_at" not in indexes(postgres, database)


def test_indexes_of_constraints_and_of_others_are_nobody_elses(postgres: Server, database: str) -> None:
    made = outputs(postgres, database, TABLE)
    assert sorted(made["indexes"]) == ['public."Tags"', "public.items_at"]
    by_hand(postgres, database, "CREATE INDEX by_hand ON items (id)")
    found = refreshed(postgres, database, made, TABLE)
    assert PROVIDER.diff("", found, props(postgres, database, TABLE)).changes is False


def test_an_index_that_cannot_come_back_is_named(postgres: Server, database: str) -> None:
    made = outputs(postgres, database, TABLE)
    by_hand(postgres, database, "DROP TABLE items")
    found = refreshed(postgres, database, made, TABLE)
    with pytest.raises(SliceError, match=r"index .* was removed or changed by hand.*does not exist.*CREATE INDEX"):
        PROVIDER.update("", found, props(postgres, database, TABLE))


def test_a_state_from_before_they_were_recorded_plans_nothing(postgres: Server, database: str) -> None:
    made = outputs(postgres, database, TABLE)
    older = {key: value for key, value in made.items() if not key.endswith("indexes")}
    assert PROVIDER.diff("", older, props(postgres, database, TABLE)).changes is False
    assert "live_indexes" not in refreshed(postgres, database, older, TABLE)


def test_a_replaced_volume_has_none_to_restore(postgres: Server, database: str) -> None:
    elsewhere = {
        **outputs(postgres, database),
        "identity": "of another volume",
        "indexes": {"public.x": "CREATE INDEX"},
    }
    assert PROVIDER.update("", elsewhere, props(postgres, database, TABLE)).outs
