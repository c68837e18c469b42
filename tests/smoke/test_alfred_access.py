"""Who sees and writes which of Alfred's files: two users, nobody, and the service, all through the one login.

The login has no right of its own. A request sets a role and its JWT claims for its transaction, as PostgREST does.
Everything happens in one transaction that is rolled back.
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import errors
from psycopg.types.json import Jsonb

pytestmark = [pytest.mark.quick, pytest.mark.application("alfred")]

Connection = psycopg.Connection[tuple[Any, ...]]

ALICE, BOB = "a11ce000-0000-4000-8000-000000000001", "b0b00000-0000-4000-8000-000000000002"
INSERT = "INSERT INTO storage.objects (bucket_id, name, owner, metadata) VALUES (%s, %s, %s, %s)"
PDF = {"size": 10, "mimetype": "application/pdf"}


@contextmanager
def acting_as(connection: Connection, role: str, user: str | None = None) -> Iterator[None]:
    claims = json.dumps({"role": role, **({"sub": user} if user else {})})
    connection.execute(
        "SELECT set_config('role', %s, true), set_config('request.jwt.claims', %s, true)", [role, claims]
    )
    yield
    connection.execute("RESET ROLE")


def insert(
    connection: Connection, bucket: str, name: str, owner: str | None, metadata: dict[str, Any] | None = None
) -> None:
    """In a savepoint: a refusal leaves the transaction usable."""
    with connection.transaction():
        connection.execute(INSERT, [bucket, name, owner, Jsonb(PDF if metadata is None else metadata)])


def seen(connection: Connection, names: list[str]) -> set[str]:
    rows = connection.execute("SELECT name FROM storage.objects WHERE name = ANY(%s)", [names])
    return {name for (name,) in rows}


@pytest.fixture
def files(alfred_postgres: Connection) -> dict[str, str]:
    """One file per bucket and owner, made by the service; kind → name."""
    names = {kind: f"smoke/{uuid.uuid4()}" for kind in ("alice", "bob", "public", "backup")}
    with acting_as(alfred_postgres, "service_role"):
        insert(alfred_postgres, "agent-documents", names["alice"], ALICE)
        insert(alfred_postgres, "agent-documents", names["bob"], BOB)
        insert(alfred_postgres, "user-uploads", names["public"], BOB)
        insert(alfred_postgres, "system-backups", names["backup"], None, {"size": 1, "mimetype": "application/zip"})
    return names


def test_a_request_that_sets_no_role_sees_and_writes_nothing(
    alfred_postgres: Connection, files: dict[str, str]
) -> None:
    with pytest.raises(errors.InsufficientPrivilege), alfred_postgres.transaction():
        seen(alfred_postgres, list(files.values()))
    with pytest.raises(errors.InsufficientPrivilege):
        insert(alfred_postgres, "user-uploads", f"smoke/{uuid.uuid4()}", ALICE)


@pytest.mark.parametrize("role", ["authenticator", "anon", "authenticated", "service_role"])
@pytest.mark.parametrize("table", ["objects", "buckets"])
def test_nobody_can_truncate(alfred_postgres: Connection, role: str, table: str) -> None:
    with acting_as(alfred_postgres, "service_role"):  # the login itself may not even look the table up
        found = alfred_postgres.execute("SELECT has_table_privilege(%s, %s, 'TRUNCATE')", [role, f"storage.{table}"])
    assert found.fetchone() == (False,), "TRUNCATE asks no policy: it would empty the table of all users"


def test_the_users_id_comes_from_the_requests_claims(alfred_postgres: Connection) -> None:
    with acting_as(alfred_postgres, "authenticated", ALICE):
        assert alfred_postgres.execute("SELECT auth.uid()").fetchone() == (uuid.UUID(ALICE),)
    with acting_as(alfred_postgres, "anon"):
        assert alfred_postgres.execute("SELECT auth.uid()").fetchone() == (None,)


def test_a_user_sees_the_own_documents_and_public_files(alfred_postgres: Connection, files: dict[str, str]) -> None:
    with acting_as(alfred_postgres, "authenticated", ALICE):
        assert seen(alfred_postgres, list(files.values())) == {files["alice"], files["public"]}
    with acting_as(alfred_postgres, "authenticated", BOB):
        assert seen(alfred_postgres, list(files.values())) == {files["bob"], files["public"]}


def test_nobody_sees_only_public_files(alfred_postgres: Connection, files: dict[str, str]) -> None:
    with acting_as(alfred_postgres, "anon"):
        assert seen(alfred_postgres, list(files.values())) == {files["public"]}


def test_the_service_sees_everything(alfred_postgres: Connection, files: dict[str, str]) -> None:
    with acting_as(alfred_postgres, "service_role"):
        assert seen(alfred_postgres, list(files.values())) == set(files.values())


@pytest.mark.parametrize("bucket", ["agent-documents", "user-uploads"])
def test_a_user_writes_the_own_files(alfred_postgres: Connection, bucket: str) -> None:
    name = f"smoke/{uuid.uuid4()}"
    with acting_as(alfred_postgres, "authenticated", ALICE):
        insert(alfred_postgres, bucket, name, ALICE)
        assert seen(alfred_postgres, [name]) == {name}
        tokens = alfred_postgres.execute("SELECT path_tokens FROM storage.objects WHERE name = %s", [name]).fetchone()
    assert tokens == (name.split("/"),)


@pytest.mark.parametrize(
    ("role", "user", "bucket", "owner"),
    [
        ("authenticated", ALICE, "agent-documents", BOB),
        ("authenticated", ALICE, "agent-documents", None),
        ("authenticated", ALICE, "user-uploads", BOB),
        ("authenticated", ALICE, "system-backups", ALICE),
        ("authenticated", None, "agent-documents", ALICE),
        ("anon", None, "agent-documents", None),
        ("anon", None, "user-uploads", None),
        ("anon", ALICE, "user-uploads", ALICE),
    ],
)
def test_a_write_that_the_policies_do_not_allow_is_refused(
    alfred_postgres: Connection, role: str, user: str | None, bucket: str, owner: str | None
) -> None:
    metadata = {"size": 1, "mimetype": "application/zip"} if bucket == "system-backups" else PDF
    with acting_as(alfred_postgres, role, user), pytest.raises(errors.InsufficientPrivilege):
        insert(alfred_postgres, bucket, f"smoke/{uuid.uuid4()}", owner, metadata)
    alfred_postgres.execute("RESET ROLE")


@pytest.mark.parametrize("statement", ["UPDATE storage.objects SET name = name || '!'", "DELETE FROM storage.objects"])
@pytest.mark.parametrize(("role", "user"), [("authenticated", ALICE), ("anon", None)])
def test_users_cannot_change_or_delete_even_their_own(
    alfred_postgres: Connection, files: dict[str, str], statement: str, role: str, user: str | None
) -> None:
    with acting_as(alfred_postgres, role, user):
        try:
            with alfred_postgres.transaction():
                done = alfred_postgres.execute(f"{statement} WHERE name = ANY(%s)", [list(files.values())])
                assert done.rowcount == 0, f"{role} changed {done.rowcount} files"
        except errors.InsufficientPrivilege:
            pass  # refused outright: as good
    with acting_as(alfred_postgres, "service_role"):
        assert seen(alfred_postgres, list(files.values())) == set(files.values())


def test_the_service_changes_and_deletes_and_updated_at_follows(
    alfred_postgres: Connection, files: dict[str, str]
) -> None:
    with acting_as(alfred_postgres, "service_role"):
        changed = alfred_postgres.execute(
            "UPDATE storage.objects SET updated_at = '2001-01-01', version = gen_random_uuid() WHERE name = %s"
            " RETURNING updated_at > now() - interval '1 hour'",
            [files["alice"]],
        )
        assert changed.fetchone() == (True,), "updated_at must be the trigger's, whatever the client says"
        assert alfred_postgres.execute("DELETE FROM storage.objects WHERE name = %s", [files["bob"]]).rowcount == 1


@pytest.mark.parametrize(
    ("bucket", "limit", "mimetype"),
    [
        ("agent-documents", 10485760, "text/plain"),
        ("user-uploads", 5242880, "image/png"),
        ("system-backups", 104857600, "application/x-tar"),
    ],
)
def test_a_buckets_limits_hold_for_the_service_too(
    alfred_postgres: Connection, bucket: str, limit: int, mimetype: str
) -> None:
    with acting_as(alfred_postgres, "service_role"):
        insert(alfred_postgres, bucket, f"smoke/{uuid.uuid4()}", None, {"size": limit, "mimetype": mimetype})
        for metadata in (
            {"size": limit + 1, "mimetype": mimetype},
            {"size": 1, "mimetype": "application/x-msdownload"},
        ):
            with pytest.raises(psycopg.DatabaseError) as caught:
                insert(alfred_postgres, bucket, f"smoke/{uuid.uuid4()}", None, metadata)
            assert bucket in str(caught.value), "the refusal must say whose limit it is"
    assert not alfred_postgres.closed


@pytest.mark.parametrize("limit", [0, None])
def test_a_limit_of_zero_or_none_is_no_limit(alfred_postgres: Connection, limit: int | None) -> None:
    bucket = f"smoke-{uuid.uuid4()}"
    with acting_as(alfred_postgres, "service_role"):
        alfred_postgres.execute(
            "INSERT INTO storage.buckets (id, name, file_size_limit) VALUES (%s, %s, %s)", [bucket, bucket, limit]
        )
        insert(alfred_postgres, bucket, "big", None, {"size": 10**13, "mimetype": "any/thing"})


def test_a_name_is_unique_in_its_bucket_and_a_bucket_must_exist(alfred_postgres: Connection) -> None:
    name = f"smoke/{uuid.uuid4()}"
    with acting_as(alfred_postgres, "service_role"):
        insert(alfred_postgres, "agent-documents", name, ALICE)
        with pytest.raises(errors.UniqueViolation):
            insert(alfred_postgres, "agent-documents", name, BOB)
        with pytest.raises(psycopg.DatabaseError):
            insert(alfred_postgres, "no-such-bucket", name, BOB)
