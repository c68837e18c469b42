"""What happens to data and to untouched resources over the life of a stack."""

import io
import uuid

import pytest
from minio.error import S3Error

from tests.e2e.project import Project

pytestmark = [pytest.mark.e2e, pytest.mark.docker]


def insert(project: Project) -> str:
    """An object row of Alfred's; returns its name."""
    name = f"e2e/{uuid.uuid4()}"
    with project.database() as connection:
        connection.execute("SET ROLE service_role")
        connection.execute("INSERT INTO storage.objects (bucket_id, name) VALUES ('system-backups', %s)", [name])
    return name


def holds(project: Project, name: str) -> bool:
    with project.database() as connection:
        connection.execute("SET ROLE service_role")
        found = connection.execute("SELECT count(*) FROM storage.objects WHERE name = %s", [name]).fetchone()
    return found == (1,)


def test_a_second_up_changes_nothing(deployed: Project) -> None:
    before = deployed.ids()
    state = deployed.state_file.read_text()
    deployed.up("--expect-no-changes").succeeded()
    assert deployed.ids() == before
    assert deployed.state_file.read_text().count('"urn"') == state.count('"urn"')


def test_up_ends_with_smoke_tests_and_a_summary(deployed: Project) -> None:
    text = deployed.run("up", "--yes").succeeded().text
    assert "smoke tests passed" in text
    for part in (f"127.0.0.1:{deployed.get('postgres.port')}", "alfred.env", "strata destroy", "db-postgres-data"):
        assert part in text, f"the summary does not name {part}"


def test_preview_changes_nothing(deployed: Project) -> None:
    state = deployed.state_file.read_bytes()
    deployed.run("preview").succeeded()
    assert deployed.state_file.read_bytes() == state


def test_a_changed_setting_changes_only_what_it_touches(deployed: Project) -> None:
    before, row = deployed.ids(), insert(deployed)
    deployed.set("redis.memory", "320Mi")
    deployed.up().succeeded()
    after = deployed.ids()
    assert after["db-postgres"] == before["db-postgres"], "Postgres was touched by a setting of Redis"
    assert holds(deployed, row)
    deployed.set("postgres.max_connections", 120)
    deployed.up().succeeded()
    assert deployed.ids()["redis"] == after["redis"], "Redis was touched by a setting of Postgres"
    assert holds(deployed, row), "a replaced container lost its data"
    with deployed.database() as connection:
        assert connection.execute("SHOW max_connections").fetchone() == ("120",)


def test_destroy_keeps_data_and_the_next_up_finds_it(deployed: Project) -> None:
    row, old = insert(deployed), deployed.rendered()
    deployed.objects().put_object(old["GLOBAL_S3_BUCKET"], "kept", io.BytesIO(b"encrypted"), 9)
    gone = deployed.destroy().succeeded()
    assert f"{deployed.stack}-db-postgres-data" in gone.text, "destroy must say which data it kept"
    assert deployed.ids() == {}
    again = deployed.up().succeeded()
    assert "adopted" in again.text, "up must say that it found an old volume"
    assert holds(deployed, row)
    with deployed.objects().get_object(old["GLOBAL_S3_BUCKET"], "kept") as answer:
        assert answer.data == b"encrypted", "the key that the objects were encrypted with was lost with the stack"
    assert deployed.rendered()["DB_PASSWORD"] != old["DB_PASSWORD"], "a destroyed stack's password still opens"


def test_a_rotated_access_key_leaves_the_one_before_it_working(deployed: Project) -> None:
    variables, objects = deployed.rendered(), deployed.objects()
    path = deployed.root / "applications" / "alfred" / "application.yaml"
    claim = path.read_text()
    for rotation in (2, 3):
        path.write_text(claim.replace("object_store:\n", f"object_store:\n  rotation: {rotation}\n", 1))
        deployed.up().succeeded()
        assert deployed.rendered()["AWS_ACCESS_KEY_ID"] == f"alfred-{rotation}"
        deployed.objects().put_object(variables["GLOBAL_S3_BUCKET"], "k", io.BytesIO(b"1"), 1)
        if rotation == 2:
            objects.stat_object(variables["GLOBAL_S3_BUCKET"], "k")
    with pytest.raises(S3Error, match="InvalidAccessKeyId"):
        objects.get_object(variables["GLOBAL_S3_BUCKET"], "k")
