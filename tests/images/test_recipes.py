"""A local image's name follows from its recipe, and from nothing else."""

import re
import shutil
from pathlib import Path

import pytest

from images import ImageError, recipes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of images/ to change."""
    shutil.copyfile(recipes.FOLDER / "recipes.yaml", tmp_path / "recipes.yaml")
    shutil.copytree(recipes.FOLDER / "stages", tmp_path / "stages")
    shutil.copytree(recipes.FOLDER / "qdrant", tmp_path / "qdrant")
    return tmp_path


def names(folder: Path) -> dict[str, str]:
    return {
        name: recipes.local_name(name, recipe.version, folder=folder)
        for name, recipe in sorted(recipes.load(folder).items())
    }


def append(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(f"{line}\n")


def test_a_name_says_backend_and_version_and_can_never_be_pulled_from_a_public_registry() -> None:
    assert re.fullmatch(r"localhost/strata-postgres:17-[0-9a-f]{12}", recipes.local_name("postgres", "17"))
    assert re.fullmatch(r"localhost/strata-redis:8-[0-9a-f]{12}", recipes.local_name("redis", "8"))


def test_the_same_recipe_has_the_same_name_wherever_the_checkout_lies(folder: Path) -> None:
    assert names(folder) == names(recipes.FOLDER)


@pytest.mark.parametrize("file", ["run.sh", "docker-entrypoint.sh"])
def test_a_changed_stage_is_another_image_and_leaves_the_others_alone(folder: Path, file: str) -> None:
    before = names(folder)
    append(folder / "stages/postgres" / file, "# changed")
    after = names(folder)
    assert after["postgres"] != before["postgres"], "the old image would run under the new recipe's name"
    assert after["redis"] == before["redis"], "Redis would be rebuilt, and its container replaced, for nothing"


def test_a_changed_common_stage_changes_every_image(folder: Path) -> None:
    before = names(folder)
    append(folder / "stages/slim/run.sh", "# changed")
    after = names(folder)
    assert not set(before.values()) & set(after.values())


def test_a_file_that_joins_a_stage_changes_the_image(folder: Path) -> None:
    before = names(folder)
    (folder / "stages/redis/extra.conf").write_text("")
    assert names(folder)["redis"] != before["redis"]


def test_a_changed_source_of_a_stage_is_another_image_and_bytecode_is_none(folder: Path) -> None:
    before = names(folder)
    (folder / "qdrant/server/__pycache__").mkdir(exist_ok=True)
    (folder / "qdrant/server/__pycache__/extra.pyc").write_bytes(b"x")
    assert names(folder) == before
    append(folder / "qdrant/server/config.py", "# changed")
    assert names(folder)["qdrant"] != before["qdrant"]


def test_a_changed_configuration_is_another_image(folder: Path) -> None:
    before = names(folder)
    path = folder / "recipes.yaml"
    path.write_text(path.read_text().replace("StopSignal: SIGINT", "StopSignal: SIGTERM"))
    assert names(folder)["postgres"] != before["postgres"]


def test_a_build_goes_on_from_the_last_unchanged_step(folder: Path) -> None:
    recipe = recipes.find("postgres", folder=folder)
    before = [step.key for step in recipes.steps(recipe, folder)]
    append(folder / "stages/slim/run.sh", "# changed")
    after = [step.key for step in recipes.steps(recipe, folder)]
    assert after[:-1] == before[:-1], "the packages would be downloaded again"
    assert after[-1] != before[-1]


def test_recipes_share_the_debian_root() -> None:
    postgres, redis = (recipes.steps(recipes.find(name)) for name in ("postgres", "redis"))
    assert [step.key for step in postgres[:2]] == [step.key for step in redis[:2]]
    assert postgres[2].key != redis[2].key


def test_another_version_is_refused_with_the_line_to_write() -> None:
    with pytest.raises(ImageError, match=r'postgres 16 can.t be built locally.*strata:postgres\.version: "17"'):
        recipes.local_name("postgres", "16")


def test_an_unknown_image_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ImageError, match="named 'mysql'; known: object_store, postgres, qdrant, redis"):
        recipes.local_name("mysql", "8")


def test_an_unknown_key_is_named(folder: Path) -> None:
    append(folder / "recipes.yaml", "  flavour: alpine")
    with pytest.raises(ImageError, match=r"recipes\.yaml: `qdrant\.flavour`"):
        recipes.load(folder)


def test_a_kept_stage_that_the_recipe_does_not_have_is_named(folder: Path) -> None:
    path = folder / "recipes.yaml"
    path.write_text(path.read_text().replace("keep: [minio]", "keep: [mino]"))
    with pytest.raises(ImageError, match=r"object_store.*`keep` names mino"):
        recipes.load(folder)


def test_a_stage_without_a_script_is_named(folder: Path) -> None:
    (folder / "stages/redis/run.sh").unlink()
    with pytest.raises(ImageError, match=r"names the stage 'redis'.*does not exist"):
        recipes.local_name("redis", "8", folder=folder)
