"""Alfred's schema as its users meet it: through the login `authenticator`, one SET ROLE away from their rights."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from components.slices.admin import Address
from components.slices.postgres.connection import connect
from tests.slices import databases
from tests.slices.servers import Server

pytestmark = pytest.mark.docker

FOLDER = Path(__file__).parents[2] / "applications" / "alfred" / "migrations"
GROUPS = ["anon", "authenticated", "service_role", "supabase_admin", "supabase_storage_admin"]
ALICE, BOB = uuid.UUID(int=1), uuid.UUID(int=2)
PDF = {"size": 1000, "mimetype": "application/pdf"}
As = Callable[..., Any]


@pytest.fixture(scope="module")
def alfred(postgres: Server) -> Server:
    databases.make(postgres, "alfred")
    return postgres


@pytest.fixture
def as_role(alfred: Server) -> Iterator[As]:
    """Runs one statement as a role and, with claims, as a user; everything is rolled back after the test."""
    with psycopg.connect(
        host="127.0.0.1", port=alfred.port, user="authenticator", password=databases.PASSWORD, dbname="alfred"
    ) as login:

        def run(name: str, statement: str, *params: Any, user: uuid.UUID | None = None) -> Any:
            claims = json.dumps({"sub": str(user), "role": name}) if user else ""
            login.execute("SELECT set_config('request.jwt.claims', %s, true)", (claims,))
            login.execute("SELECT set_config('role', %s, true)", (name,))
            with login.transaction():
                cursor = login.execute(statement.encode(), params)
                return cursor.fetchall() if cursor.description else cursor.rowcount

        yield run
        login.rollback()


INSERT = "INSERT INTO storage.objects (bucket_id, name, owner, metadata) VALUES (%s, %s, %s, %s)"


def put(as_role: As, name: str, bucket: str, file: str, user: uuid.UUID, metadata: object = PDF) -> None:
    text = json.dumps(metadata) if metadata is not None else None
    as_role(name, INSERT, bucket, file, user, text, user=user)


def names(as_role: As, name: str, user: uuid.UUID | None = None) -> list[str]:
    return [row[0] for row in as_role(name, "SELECT name FROM storage.objects ORDER BY name", user=user)]


def test_columns_types_and_defaults_are_the_documents(alfred: Server) -> None:
    query = """
        SELECT table_name, column_name, data_type, column_default, is_nullable, generation_expression
        FROM information_schema.columns WHERE table_schema = 'storage' ORDER BY table_name, ordinal_position
    """
    stamp = ("timestamp with time zone", "now()", "YES", None)
    with connect(Address.of(alfred.props()), "alfred") as admin:
        found = [tuple(row) for row in admin.execute(query)]
    assert found == [
        ("buckets", "id", "text", None, "NO", None),
        ("buckets", "name", "text", None, "NO", None),
        ("buckets", "owner", "uuid", None, "YES", None),
        ("buckets", "created_at", *stamp),
        ("buckets", "updated_at", *stamp),
        ("buckets", "public", "boolean", "false", "YES", None),
        ("buckets", "avif_autodetection", "boolean", "false", "YES", None),
        ("buckets", "file_size_limit", "bigint", "0", "YES", None),
        ("buckets", "allowed_mime_types", "ARRAY", None, "YES", None),
        ("objects", "id", "uuid", "gen_random_uuid()", "NO", None),
        ("objects", "bucket_id", "text", None, "NO", None),
        ("objects", "name", "text", None, "NO", None),
        ("objects", "owner", "uuid", None, "YES", None),
        ("objects", "created_at", *stamp),
        ("objects", "updated_at", *stamp),
        ("objects", "last_accessed_at", *stamp),
        ("objects", "metadata", "jsonb", None, "YES", None),
        ("objects", "path_tokens", "ARRAY", None, "YES", "string_to_array(name, '/'::text)"),
        ("objects", "version", "uuid", None, "YES", None),
    ]


def test_buckets_are_the_documents(as_role: As) -> None:
    query = "SELECT id, name, public, file_size_limit, allowed_mime_types FROM storage.buckets ORDER BY id"
    assert as_role("service_role", query) == [
        ("agent-documents", "Agent Documents", False, 10485760, ["application/pdf", "text/plain", "application/json"]),
        (
            "system-backups",
            "System Backups",
            False,
            104857600,
            ["application/gzip", "application/zip", "application/x-tar"],
        ),
        ("user-uploads", "User Uploads", True, 5242880, ["image/jpeg", "image/png", "application/pdf"]),
    ]


def test_two_users_see_their_own_documents_only(as_role: As) -> None:
    put(as_role, "authenticated", "agent-documents", "a.pdf", ALICE)
    put(as_role, "authenticated", "agent-documents", "b.pdf", BOB)
    assert names(as_role, "authenticated", ALICE) == ["a.pdf"]
    assert names(as_role, "authenticated", BOB) == ["b.pdf"]
    assert names(as_role, "authenticated") == [], "without claims nobody is anybody"
    assert names(as_role, "anon", ALICE) == []
    assert names(as_role, "service_role") == ["a.pdf", "b.pdf"]


@pytest.mark.parametrize("bucket", ["agent-documents", "user-uploads"])
def test_nobody_writes_in_the_name_of_another(as_role: As, bucket: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("authenticated", INSERT, bucket, "a.pdf", BOB, json.dumps(PDF), user=ALICE)


def test_uploads_are_read_by_everybody_and_written_by_their_owner(as_role: As) -> None:
    put(as_role, "authenticated", "user-uploads", "face.png", ALICE, {"size": 1, "mimetype": "image/png"})
    assert names(as_role, "anon") == names(as_role, "authenticated", BOB) == ["face.png"]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        put(as_role, "anon", "user-uploads", "b.png", ALICE)


def test_backups_are_for_the_service_roles(as_role: As) -> None:
    archive = {"size": 1, "mimetype": "application/gzip"}
    put(as_role, "service_role", "system-backups", "b.gz", ALICE, archive)
    assert names(as_role, "authenticated", ALICE) == names(as_role, "anon") == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        put(as_role, "authenticated", "system-backups", "c.gz", ALICE, archive)


@pytest.mark.parametrize("statement", ["UPDATE storage.objects SET name = 'x'", "DELETE FROM storage.objects"])
@pytest.mark.parametrize("name", ["authenticated", "anon"])
def test_users_update_and_delete_nothing(as_role: As, name: str, statement: str) -> None:
    put(as_role, "authenticated", "agent-documents", "a.pdf", ALICE)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role(name, statement, user=ALICE)


def test_the_login_itself_has_no_right(as_role: As) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("authenticator", "SELECT * FROM storage.objects")


@pytest.mark.parametrize("name", ["supabase_admin", "supabase_storage_admin", "alfred_owner", "postgres"])
def test_the_login_cannot_become_more(as_role: As, name: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("anon", f"SET ROLE {name}")


def test_no_role_bypasses_security(alfred: Server) -> None:
    with connect(Address.of(alfred.props())) as admin:
        query = (
            "SELECT rolname FROM pg_roles WHERE (rolsuper OR rolbypassrls OR rolcreaterole) AND rolname <> 'postgres'"
        )
        assert admin.execute(query).fetchall() == []


@pytest.mark.parametrize(
    ("metadata", "complaint"),
    [
        ({"size": 10485761, "mimetype": "application/pdf"}, "allows 10485760"),
        ({"size": "99999999999999999999999", "mimetype": "application/pdf"}, "allows 10485760"),
        ({"size": -1, "mimetype": "application/pdf"}, "no size"),
        ({"mimetype": "application/pdf"}, "no size"),
        ({"size": 1, "mimetype": "image/png"}, "is of type image/png"),
        ({"size": 1}, r"is of type \(none\)"),
    ],
)
def test_limits_refuse(as_role: As, metadata: dict[str, Any], complaint: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match=complaint):
        put(as_role, "authenticated", "agent-documents", "a.pdf", ALICE, metadata)


def test_limits_bind_the_service_roles_and_later_updates_too(as_role: As) -> None:
    put(as_role, "service_role", "agent-documents", "a.pdf", ALICE, None)
    too_large = json.dumps({"size": 10485761, "mimetype": "application/pdf"})
    with pytest.raises(psycopg.errors.CheckViolation, match="allows 10485760"):
        as_role("service_role", "UPDATE storage.objects SET metadata = %s WHERE name = 'a.pdf'", too_large)
    put(as_role, "service_role", "agent-documents", "t.txt", ALICE, {"size": 1, "mimetype": "text/plain"})
    with pytest.raises(psycopg.errors.CheckViolation, match="user-uploads"):
        as_role("service_role", "UPDATE storage.objects SET bucket_id = 'user-uploads' WHERE name = 't.txt'")


def test_the_limit_itself_is_allowed(as_role: As) -> None:
    put(as_role, "authenticated", "agent-documents", "a.pdf", ALICE, {"size": 10485760, "mimetype": "APPLICATION/PDF"})


@pytest.mark.parametrize("limit", ["0", "NULL"])
def test_no_limit_and_wildcard_types(as_role: As, limit: str) -> None:
    new = "INSERT INTO storage.buckets (id, name, file_size_limit, allowed_mime_types) VALUES ('new', 'New', {}, {})"
    as_role("service_role", new.format(limit, "ARRAY['image/*']"))
    put(as_role, "service_role", "new", "a", ALICE, {"size": 10**15, "mimetype": "image/webp"})
    with pytest.raises(psycopg.errors.CheckViolation):
        put(as_role, "service_role", "new", "b", ALICE, {"size": 1, "mimetype": "imagex/webp"})
    as_role("service_role", "UPDATE storage.buckets SET allowed_mime_types = NULL WHERE id = 'new'")
    put(as_role, "service_role", "new", "b", ALICE, {"size": 1})


def test_a_missing_bucket_and_a_second_name_are_refused(as_role: As) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation, match="does not exist"):
        put(as_role, "service_role", "nowhere", "a", ALICE)
    put(as_role, "service_role", "agent-documents", "a.pdf", ALICE)
    with pytest.raises(psycopg.errors.UniqueViolation):
        put(as_role, "service_role", "agent-documents", "a.pdf", BOB)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        as_role("service_role", "DELETE FROM storage.buckets WHERE id = 'agent-documents'")


def test_updated_at_and_path_tokens_follow(as_role: As) -> None:
    put(as_role, "service_role", "agent-documents", "a/b/c.pdf", ALICE)
    as_role("service_role", "UPDATE storage.objects SET updated_at = '2001-01-01', version = gen_random_uuid()")
    rows = as_role("service_role", "SELECT updated_at = now(), path_tokens FROM storage.objects")
    assert rows == [(True, ["a", "b", "c.pdf"])]


@contextmanager
def committed_object(server: Server) -> Iterator[None]:
    with connect(Address.of(server.props()), "alfred") as admin:
        admin.execute("INSERT INTO storage.objects (bucket_id, name) VALUES ('system-backups', 'dumped.gz')")
        try:
            yield
        finally:
            admin.execute("DELETE FROM storage.objects")


def test_the_owners_dump_is_complete(alfred: Server) -> None:
    with committed_object(alfred):
        dump = alfred.run(
            *("pg_dump", "--username=postgres", "--host=/var/run/postgresql", "--dbname=alfred"),
            *("--role=alfred_owner", "--enable-row-security", "--schema=storage", "--schema=auth"),
        )
    assert "dumped.gz" in dump
    assert "user-uploads" in dump
