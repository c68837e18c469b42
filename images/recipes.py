"""What a local image is made of, and the name that follows from it.

An image's name carries a hash over everything that decides its content: the Debian suite, the files of its stages and
what Docker records. So a changed recipe is another image, and a name never means two things.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from images.errors import ImageError

FOLDER = Path(__file__).parent

# The parser in C where PyYAML has it: the other one takes 20 ms for these recipes, which are read a dozen times.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

REPOSITORY = "localhost/strata-{name}"
LABEL = "strata.image"
DEBIAN = "debian"
"""The stage that every recipe begins with."""


class Recipe(BaseModel):
    """One entry of recipes.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    suite: str
    stages: Annotated[tuple[str, ...], Field(min_length=1)]
    keep: tuple[str, ...] = ()
    """Stages whose result stays in the cache when the image is built: those that take minutes."""
    sources: dict[str, tuple[str, ...]] = {}
    """Folders beside stages/ that a stage gets in its own folder, by the stage's name."""
    config: dict[str, Any]
    """The fields of the OCI image specification's `config`, but Labels."""

    @model_validator(mode="after")
    def _kept_stages_are_stages(self) -> Self:
        if others := set(self.keep) - set(self.stages):
            raise ValueError(f"`keep` names {', '.join(sorted(others))}, and `stages` does not")
        return self


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a build. `key` names its result: it covers this step and all before it."""

    name: str
    key: str
    folder: Path | None
    """None for the first step, which makes the Debian root."""
    sources: tuple[Path, ...] = ()


def load(folder: Path = FOLDER) -> dict[str, Recipe]:
    """The recipes by image name. Raises ImageError when recipes.yaml is not valid."""
    path = folder / "recipes.yaml"
    try:
        return TypeAdapter(dict[str, Recipe]).validate_python(yaml.load(path.read_text(), _Loader))  # noqa: S506 - safe
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ImageError(f"{path}: `{where}`: {first['msg']}") from None


def find(name: str, version: str | None = None, *, folder: Path = FOLDER) -> Recipe:
    """The recipe of image `name`. Raises ImageError when there is none, or only one of another `version`."""
    recipes = load(folder)
    recipe = recipes.get(name)
    if recipe is None:
        raise ImageError(f"there is no recipe for an image named {name!r}; known: {', '.join(sorted(recipes))}")
    if version is not None and version != recipe.version:
        raise ImageError(
            f"{name} {version} can't be built locally, {name} {recipe.version} can: set `strata:{name}.version: "
            f'"{recipe.version}"`, or `strata:images.source: registry`'
        )
    return recipe


def local_name(name: str, version: str, *, folder: Path = FOLDER) -> str:
    """The image that a build on this host makes, like `localhost/strata-postgres:17-0123456789ab`.

    A pure function of the files in `folder`. Raises ImageError when there is no recipe for that version.
    """
    recipe = find(name, version, folder=folder)
    digest = _digest(steps(recipe, folder)[-1].key, json.dumps(recipe.config, sort_keys=True))
    return f"{REPOSITORY.format(name=name)}:{recipe.version}-{digest}"


def steps(recipe: Recipe, folder: Path = FOLDER) -> list[Step]:
    """The steps of a build in order. Recipes that begin alike share the keys, and so the results, of that beginning."""
    return list(_chain(recipe.suite, recipe.stages, recipe.sources, folder / "stages"))


def debian(suite: str, folder: Path = FOLDER) -> list[Step]:
    """The steps to the Debian root that every build starts from."""
    return list(_chain(suite, (DEBIAN,), {}, folder / "stages"))


def _chain(
    suite: str, names: Iterable[str], with_sources: Mapping[str, tuple[str, ...]], stages: Path
) -> Iterator[Step]:
    key = _digest("debootstrap", suite)
    yield Step(name=f"Debian {suite}", key=key, folder=None)
    for stage in names:
        folder = stages / stage
        if not (folder / "run.sh").is_file():
            raise ImageError(f"recipes.yaml names the stage {stage!r}, and {folder / 'run.sh'} does not exist")
        sources = tuple(stages.parent / source for source in with_sources.get(stage, ()))
        key = _digest(key, *(line for each in (folder, *sources) for line in _contents(each)))
        yield Step(name=stage, key=key, folder=folder, sources=sources)


def digest_of(suite: str, folders: Iterable[Path]) -> str:
    """A key for what is built from `folders` in the Debian root of `suite`."""
    return _digest(debian(suite)[-1].key, *(line for folder in folders for line in _contents(folder)))


def _contents(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            yield f"{path.relative_to(folder)} {_content(path)}"


def _content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
