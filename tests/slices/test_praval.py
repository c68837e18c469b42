"""The schema of Praval on a server of its own. What its users do is a smoke test."""

import psycopg
import pytest

from components.claims import Application
from tests.slices import databases
from tests.slices.servers import Server

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def praval(postgres: Server) -> Application:
    claim = databases.make(postgres, "praval")
    with databases.connect(postgres, claim) as session:
        session.execute(
            "INSERT INTO storage (key, data, metadata) SELECT n::text, '{}',"
            " jsonb_build_object('n', n) || CASE WHEN n % 1000 = 0 THEN '{\"ttl\": 60}'::jsonb ELSE '{}' END"
            " FROM generate_series(1, 20000) AS n"
        )
    databases.analyze(postgres, claim)
    return claim


def test_a_query_by_metadata_uses_its_index(postgres: Server, praval: Application) -> None:
    with databases.connect(postgres, praval) as session:
        assert "storage_metadata" in databases.plan(session, "SELECT * FROM storage WHERE metadata @> '{\"n\": 77}'")


def test_the_cleanup_looks_at_what_can_expire_only(postgres: Server, praval: Application) -> None:
    with databases.connect(postgres, praval) as session:
        session.execute("UPDATE storage SET created_at = now() - interval '2 min' WHERE metadata ? 'ttl'")
        assert session.execute("SELECT delete_expired()").fetchone() == (20,)
        session.rollback()
        seen = "SELECT key FROM storage WHERE metadata ? 'ttl' AND created_at < now()"
        assert "storage_expiring" in databases.plan(session, seen)


def test_the_login_owns_the_tables_that_it_makes_and_no_others(postgres: Server, praval: Application) -> None:
    with databases.connect(postgres, praval) as session:
        session.execute("CREATE TABLE own (key text)")
        session.execute("DROP TABLE own")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("DROP TABLE storage")
        session.rollback()
    with databases.connect(postgres, praval, praval.reader) as reader:
        reader.execute("SELECT 1 FROM storage LIMIT 1")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("CREATE TABLE own (key text)")
