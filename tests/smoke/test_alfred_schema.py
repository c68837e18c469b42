"""Alfred's tables are the document's, and carry what a real storage service needs besides."""

from typing import Any

import psycopg
import pytest

pytestmark = [pytest.mark.quick, pytest.mark.application("alfred")]

Connection = psycopg.Connection[tuple[Any, ...]]

# Column → type, NOT NULL, default; as the document declares them. The server spells `TIMESTAMPTZ` in full.
OBJECTS = {
    "id": ("uuid", True, "gen_random_uuid()"),
    "bucket_id": ("text", True, None),
    "name": ("text", True, None),
    "owner": ("uuid", False, None),
    "created_at": ("timestamp with time zone", False, "now()"),
    "updated_at": ("timestamp with time zone", False, "now()"),
    "last_accessed_at": ("timestamp with time zone", False, "now()"),
    "metadata": ("jsonb", False, None),
    "path_tokens": ("text[]", False, "string_to_array(name, '/'::text)"),
    "version": ("uuid", False, None),
}
BUCKETS = {
    "id": ("text", True, None),
    "name": ("text", True, None),
    "owner": ("uuid", False, None),
    "created_at": ("timestamp with time zone", False, "now()"),
    "updated_at": ("timestamp with time zone", False, "now()"),
    "public": ("boolean", False, "false"),
    "avif_autodetection": ("boolean", False, "false"),
    "file_size_limit": ("bigint", False, "0"),
    "allowed_mime_types": ("text[]", False, None),
}
DOCUMENTED_BUCKETS = {
    "agent-documents": (
        "Agent Documents",
        False,
        10485760,
        ["application/pdf", "text/plain", "application/json"],
    ),
    "user-uploads": ("User Uploads", True, 5242880, ["image/jpeg", "image/png", "application/pdf"]),
    "system-backups": (
        "System Backups",
        False,
        104857600,
        ["application/gzip", "application/zip", "application/x-tar"],
    ),
}


@pytest.fixture
def service(alfred_postgres: Connection) -> Connection:
    """The login as the service: alone it may not even look names up in the schema."""
    alfred_postgres.execute("SET LOCAL ROLE service_role")
    return alfred_postgres


@pytest.mark.parametrize(("table", "expected"), [("objects", OBJECTS), ("buckets", BUCKETS)])
def test_the_columns_are_the_documents(
    service: Connection, table: str, expected: dict[str, tuple[str, bool, str | None]]
) -> None:
    rows = service.execute(
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid)"
        " FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum"
        " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [f"storage.{table}"],
    ).fetchall()
    assert {name: tuple(rest) for name, *rest in rows} == expected
    assert [row[0] for row in rows] == list(expected), "the order of columns is part of INSERT without names"


def test_path_tokens_are_generated_and_stored(service: Connection) -> None:
    found = service.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('storage.objects') AND attgenerated = 's'"
    ).fetchall()
    assert found == [("path_tokens",)]


@pytest.mark.parametrize(
    ("table", "definition"),
    [
        ("objects", "PRIMARY KEY (id)"),
        ("buckets", "PRIMARY KEY (id)"),
        ("buckets", "UNIQUE (name)"),
        ("objects", "UNIQUE (bucket_id, name)"),
        ("objects", "FOREIGN KEY (bucket_id) REFERENCES storage.buckets(id)"),
    ],
)
def test_a_constraint_is_there(service: Connection, table: str, definition: str) -> None:
    constraints = service.execute(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = to_regclass(%s)", [f"storage.{table}"]
    ).fetchall()
    indexes = service.execute(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'storage' AND tablename = %s", [table]
    ).fetchall()
    unique_index = f"USING btree {definition.removeprefix('UNIQUE ')}" if definition.startswith("UNIQUE") else None
    assert any(text.startswith(definition) for (text,) in constraints) or any(
        unique_index and "UNIQUE" in text and unique_index in text for (text,) in indexes
    ), f"{definition} is not among {constraints} and {indexes}"


@pytest.mark.parametrize("table", ["objects", "buckets"])
def test_row_level_security_binds_the_owner_too(service: Connection, table: str) -> None:
    found = service.execute(
        "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = to_regclass(%s)", [f"storage.{table}"]
    ).fetchone()
    assert found == (True, True), "without FORCE the owner's triggers and functions would see every row"


@pytest.mark.parametrize("table", ["objects", "buckets"])
def test_a_trigger_keeps_updated_at(service: Connection, table: str) -> None:
    triggers = service.execute(
        "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND NOT tgisinternal",
        [f"storage.{table}"],
    ).fetchall()
    assert any("BEFORE" in text and "UPDATE" in text for (text,) in triggers), triggers


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role", "supabase_admin", "supabase_storage_admin"])
def test_a_documented_role_has_no_login_and_no_power(service: Connection, role: str) -> None:
    found = service.execute(
        "SELECT rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = %s",
        [role],
    ).fetchone()
    assert found == (False, False, False, False, False)


def test_the_documents_buckets_are_there_with_their_limits(service: Connection) -> None:
    service.execute("SET LOCAL ROLE service_role")
    rows = service.execute(
        "SELECT id, name, public, file_size_limit, allowed_mime_types FROM storage.buckets WHERE id = ANY(%s)",
        [list(DOCUMENTED_BUCKETS)],
    ).fetchall()
    assert {name: tuple(rest) for name, *rest in rows} == DOCUMENTED_BUCKETS
