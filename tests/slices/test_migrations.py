"""Migrations: applied once, in order, and refused by name when the past was changed."""

import hashlib
import threading
from pathlib import Path
from typing import Any

import pytest

from components.slices import Migration, SliceError, load_migrations
from components.slices.admin import Address
from components.slices.postgres.connection import connect, run, scalar
from components.slices.postgres.migration_runner import LOCK
from components.slices.postgres.migrations import MigrationsProvider
from components.slices.postgres.statements import split
from components.slices.resource import Props
from tests.slices.servers import Server, eventually

PROVIDER = MigrationsProvider()


def migration(number: int, sql: str) -> Migration:
    return Migration(name=f"{number:04}_step.sql", checksum=hashlib.sha256(sql.encode()).hexdigest(), sql=sql)


ONE = migration(1, "CREATE TABLE one (n int);\nINSERT INTO one VALUES (1);")
TWO = migration(2, "CREATE TABLE two (n int);")


def props(server: Server, database: str, *migrations: Migration, **more: Any) -> Props:
    return server.props(database=database, owner=f"{database}_owner", migrations=list(migrations), **more)


def query(server: Server, database: str, statement: str) -> Any:
    with connect(Address.of(server.props()), database) as connection:
        return connection.execute(statement.encode()).fetchall()


def names(server: Server, database: str) -> list[str]:
    return [row[0] for row in query(server, database, "SELECT name FROM strata.migrations ORDER BY name")]


def outputs(server: Server, database: str, *migrations: Migration) -> Props:
    result = PROVIDER.create(props(server, database, *migrations))
    assert result.outs is not None
    return result.outs


@pytest.mark.docker
def test_pending_migrations_are_planned_and_applied_once(postgres: Server, database: str) -> None:
    made = outputs(postgres, database, ONE)
    assert PROVIDER.diff("", made, props(postgres, database, ONE)).changes is False
    assert PROVIDER.diff("", made, props(postgres, database, ONE, TWO)).changes is True
    updated = PROVIDER.update("", made, props(postgres, database, ONE, TWO)).outs
    assert updated is not None
    assert [entry["name"] for entry in updated["applied"]] == ["0001_step.sql", "0002_step.sql"]
    assert query(postgres, database, "SELECT n FROM one") == [(1,)], "the first migration ran twice"
    owner = query(postgres, database, "SELECT tableowner FROM pg_tables WHERE tablename = 'two'")
    assert owner == [(f"{database}_owner",)]
    assert "CREATE" not in str(updated), "the SQL is kept once, as an input"


@pytest.mark.docker
def test_a_kept_database_is_adopted(postgres: Server, database: str) -> None:
    outputs(postgres, database, ONE)
    outputs(postgres, database, ONE, TWO)
    assert names(postgres, database) == ["0001_step.sql", "0002_step.sql"]


EDITED = migration(1, "CREATE TABLE one (n bigint);")


@pytest.mark.docker
@pytest.mark.parametrize(
    ("wanted", "complaint"),
    [
        ([EDITED, TWO], "migration 0001_step.sql was changed after it was applied"),
        ([TWO], "migration 0001_step.sql was applied and is gone"),
        ([], "migration 0001_step.sql was applied and is gone"),
    ],
)
def test_a_changed_past_is_refused_by_the_plan_and_by_the_table(
    postgres: Server, database: str, wanted: list[Migration], complaint: str
) -> None:
    old, new = props(postgres, database, ONE), props(postgres, database, *wanted)
    made = outputs(postgres, database, ONE)
    failures = [failure.reason for failure in PROVIDER.check(old, new).failures]
    assert complaint in failures[0]
    for attempt in (lambda: PROVIDER.create(new), lambda: PROVIDER.update("", made, new)):
        with pytest.raises(SliceError, match=complaint):
            attempt()
    assert names(postgres, database) == ["0001_step.sql"]


@pytest.mark.docker
def test_a_migration_numbered_before_an_applied_one_is_refused(postgres: Server, database: str) -> None:
    outputs(postgres, database, ONE, TWO)
    late = Migration(name="0001_z.sql", checksum="x", sql="SELECT 1")
    with pytest.raises(SliceError, match=r"put before 0002_step\.sql"):
        PROVIDER.create(props(postgres, database, ONE, late, TWO))


@pytest.mark.docker
def test_a_failure_says_where_why_and_what_is_left(postgres: Server, database: str) -> None:
    broken = migration(2, "CREATE TABLE two (n int);\n\n-- why\nINSERT INTO two\n    VALUES ('x');\n")
    with pytest.raises(SliceError) as caught:
        PROVIDER.create(props(postgres, database, ONE, broken, migration(3, "SELECT 1")))
    text = str(caught.value)
    for part in ("0002_step.sql", "line 5", "statement 2 of 2", "invalid input syntax", "nothing of this file", "0001"):
        assert part in text, f"{part!r} is missing in {text!r}"
    assert names(postgres, database) == ["0001_step.sql"]
    assert query(postgres, database, "SELECT to_regclass('two')") == [(None,)], "half a migration stayed"
    outputs(postgres, database, ONE, TWO)


@pytest.mark.docker
def test_a_deferred_constraint_fails_the_migration_by_name(postgres: Server, database: str) -> None:
    deferred = migration(
        1,
        "CREATE TABLE p (n int PRIMARY KEY);"
        "CREATE TABLE c (n int REFERENCES p DEFERRABLE INITIALLY DEFERRED); INSERT INTO c VALUES (1);",
    )
    with pytest.raises(SliceError, match=r"0001_step\.sql failed at its end: .*foreign key"):
        PROVIDER.create(props(postgres, database, deferred))
    assert names(postgres, database) == []


NO_TRANSACTION = "-- strata: no-transaction\n"


@pytest.mark.docker
def test_outside_a_transaction_each_statement_stands_alone(postgres: Server, database: str) -> None:
    index = migration(
        2,
        NO_TRANSACTION + "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON one (n);\n"
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS j ON one (missing);",
    )
    with pytest.raises(SliceError, match=r"line 3 \(statement 2 of 2\).*missing.*first 1 statement\(s\) stay.*anew"):
        PROVIDER.create(props(postgres, database, ONE, index))
    assert names(postgres, database) == ["0001_step.sql"]
    mended = migration(2, index["sql"].replace("missing", "n"))
    outputs(postgres, database, ONE, mended)
    assert query(postgres, database, "SELECT count(*) FROM pg_indexes WHERE tablename = 'one'") == [(2,)]


@pytest.mark.docker
def test_settings_and_roles_of_one_migration_do_not_reach_the_next(postgres: Server, database: str) -> None:
    first = migration(1, "SET search_path = pg_catalog; SET default_transaction_read_only = on")
    outputs(postgres, database, first, TWO)
    schema = query(postgres, database, "SELECT schemaname FROM pg_tables WHERE tablename = 'two'")
    assert schema == [("public",)]


@pytest.mark.docker
def test_a_second_run_waits_for_the_first_and_applies_nothing_twice(postgres: Server, database: str) -> None:
    outcomes: list[object] = []

    def go() -> None:
        try:
            outcomes.append(PROVIDER.create(props(postgres, database, ONE, TWO)).outs)
        except SliceError as error:
            outcomes.append(error)

    with connect(Address.of(postgres.props()), database) as first:
        run(first, "SELECT pg_advisory_lock({lock})", lock=LOCK)
        threads = [threading.Thread(target=go) for _ in range(2)]
        for thread in threads:
            thread.start()
        waiting = "SELECT count(*) = 2 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        eventually(lambda: scalar(first, waiting))
        assert outcomes == []
    for thread in threads:
        thread.join(timeout=30)
    assert [type(outcome) for outcome in outcomes] == [dict, dict], outcomes
    assert query(postgres, database, "SELECT n FROM one") == [(1,)]


@pytest.mark.docker
def test_the_record_belongs_to_the_administrator(postgres: Server, database: str) -> None:
    forge = migration(2, "INSERT INTO strata.migrations (name, checksum) VALUES ('0009_x.sql', 'x')")
    with pytest.raises(SliceError, match="permission denied for table migrations"):
        PROVIDER.create(props(postgres, database, ONE, forge))


@pytest.mark.docker
def test_read_finds_what_the_table_says(postgres: Server, database: str) -> None:
    made = outputs(postgres, database, ONE)
    with connect(Address.of(postgres.props()), database) as connection:
        connection.execute("DELETE FROM strata.migrations; DROP TABLE one")
    read = PROVIDER.read(database, made)
    assert read.outs is not None
    assert read.outs["applied"] == []
    assert PROVIDER.diff("", read.outs, props(postgres, database, ONE)).changes is True
    assert PROVIDER.read("gone", {**made, "database": "gone"}).id == ""


@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        ("CREATE TABLE x ();\nCOMMIT;", "0001_step.sql, line 2: COMMIT ends or begins a transaction"),
        ("begin; SELECT 1", "line 1: begin ends"),
        ("-- nothing\n/* at all */", "holds no statement"),
    ],
)
def test_what_breaks_the_transaction_is_refused_by_the_plan(sql: str, complaint: str) -> None:
    news = {"database": "d", "owner": "o", "migrations": [migration(1, sql)]}
    assert complaint in PROVIDER.check({}, news).failures[0].reason


def test_savepoints_are_allowed() -> None:
    sql = "SAVEPOINT s; SELECT 1; ROLLBACK TO s; DO $$ BEGIN NULL; END $$"
    news = {"database": "d", "owner": "o", "migrations": [migration(1, sql)]}
    assert PROVIDER.check({}, news).failures == []


def test_files_are_loaded_in_order_with_their_checksums(tmp_path: Path) -> None:
    (tmp_path / "0002_b.sql").write_text("SELECT 2")
    (tmp_path / "0001_a.sql").write_text("SELECT 1")
    loaded = load_migrations(tmp_path)
    assert [entry["name"] for entry in loaded] == ["0001_a.sql", "0002_b.sql"]
    assert loaded[0]["checksum"] == hashlib.sha256(b"SELECT 1").hexdigest()
    assert load_migrations(tmp_path / "missing") == []


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        (["0001_a.sql", "0003_c.sql"], "0003_c.sql: the next migration is number 0002"),
        (["0001_a.sql", "0001_b.sql"], "0001_b.sql: the next migration is number 0002"),
        (["0001-a.sql"], "name it NNNN_what_it_does.sql"),
        (["1_a.sql"], "name it"),
    ],
)
def test_gaps_twins_and_other_names_are_refused(tmp_path: Path, files: list[str], complaint: str) -> None:
    for name in files:
        (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(SliceError, match=complaint):
        load_migrations(tmp_path)


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "0001_a.sql").write_bytes(b"SELECT '\xe9'")
    with pytest.raises(SliceError, match=r"0001_a.sql is not UTF-8 \(byte 8\)"):
        load_migrations(tmp_path)


def test_statements_are_split_where_postgres_ends_them() -> None:
    sql = """-- a; b
SELECT ';', E'\\';', "x;y", $$;$$, $tag$ $$;$$ ; $tag$ /* ; /* ; */ ; */ ;
CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END;
CREATE OR REPLACE FUNCTION g() RETURNS void LANGUAGE plpgsql AS $f$ BEGIN PERFORM 1; END $f$;
SELECT CASE WHEN true THEN 1 END; SELECT a$b$c FROM begin;
;
SELECT 'last'"""
    found = split(sql)
    assert [statement.line for statement in found] == [2, 3, 4, 5, 5, 7]
    assert found[1].text.endswith("END; END")
    assert found[2].text.endswith("$f$")
    assert found[-1].text == "SELECT 'last'"
