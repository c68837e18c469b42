"""`strata app`: what it writes can be used as it is, and what it refuses leaves nothing behind."""

import json
from pathlib import Path

import pytest
import yaml

from cli.applications import schema_text
from components.claims import Application
from components.slices import load_migrations
from components.slices.postgres.migration_files import problems
from infra import conflicts, settings
from tests.unit.conftest import ROOT, Strata


def test_the_published_schema_is_current() -> None:
    published = (ROOT / "docs" / "application.schema.json").read_text(encoding="utf-8")
    assert published == schema_text(), "run: strata app schema > docs/application.schema.json"


def test_a_new_application_is_valid_and_conflicts_with_none(checkout: Path, strata: Strata) -> None:
    done = strata(checkout, "app", "new", "shop", "--json")
    assert done.returncode == 0, done.stderr
    folder = checkout / "applications" / "shop"
    written = {Path(name) for name in json.loads(done.stdout)["files"]}
    assert written == {path for path in folder.rglob("*") if path.is_file()}
    claim = Application.model_validate(yaml.safe_load((folder / "application.yaml").read_text()))
    assert claim.name == "shop"
    assert [problems(migration) for migration in load_migrations(folder / "migrations")] == [[]]
    config = yaml.safe_load((checkout / "Pulumi.dev.yaml").read_text())["config"]
    config["strata:applications"].append("shop")
    values = {key.removeprefix("strata:"): value for key, value in config.items()}
    wanted = settings.parse(values, file="Pulumi.dev.yaml")
    conflicts.refuse(wanted, settings.read_applications(wanted, checkout))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("alfred", "applications/alfred exists"),
        ("Shop", "at most 40 lower-case letters"),
        ("s" * 41, "at most 40"),
        ("alfred_owner", "alfred_owner"),  # a role of alfred's
    ],
)
def test_a_name_that_cannot_be_had_is_refused_and_nothing_is_written(
    checkout: Path, strata: Strata, name: str, says: str
) -> None:
    before = sorted(checkout.rglob("*"))
    done = strata(checkout, "app", "new", name)
    assert done.returncode != 0
    assert says in done.stderr
    assert sorted(checkout.rglob("*")) == before


@pytest.mark.parametrize("name", ["assistant", "praval", "saiki", "trends"])
def test_a_script_has_every_migration_and_no_password(checkout: Path, strata: Strata, name: str) -> None:
    done = strata(checkout, "app", "sql", name)
    assert done.returncode == 0, done.stderr
    for migration in load_migrations(checkout / "applications" / name / "migrations"):
        assert migration["sql"].strip() in done.stdout, migration["name"]
    assert f"CREATE DATABASE {name} OWNER {name}_owner" in done.stdout
    assert "PASSWORD '" not in done.stdout


def test_a_script_of_what_has_no_database_is_refused(checkout: Path, strata: Strata) -> None:
    folder = checkout / "applications" / "cache"
    folder.mkdir()
    (folder / "application.yaml").write_text("name: cache\ndescription: x\nredis: {mode: shared, prefix: 'cache:'}\n")
    done = strata(checkout, "app", "sql", "cache")
    assert done.returncode != 0
    assert "claims no postgres" in done.stderr
    missing = strata(checkout, "app", "sql", "nobody")
    assert missing.returncode != 0
    assert "applications/nobody" in missing.stderr
