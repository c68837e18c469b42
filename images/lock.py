"""lock.yaml: the official images, pinned, and how the pins are renewed."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from images.errors import ImageError
from images.recipes import FOLDER

LOCK = FOLDER / "lock.yaml"

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class LockedImage(BaseModel):
    """One version of one backend's official image."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: Annotated[tuple[str, ...], Field(min_length=1)]
    """Repositories with their registry, the preferred one first. All carry the same digests."""
    tag: str
    digest: Digest | None
    read: str | None
    """Where `digest` was read, and when."""
    licence: str
    """An SPDX expression, as far as SPDX knows the licence."""
    end_of_life: date | None
    """The day after which it gets no fixes; None when nobody announced one."""

    @model_validator(mode="after")
    def _digest_has_an_origin(self) -> Self:
        if (self.digest is None) != (self.read is None):
            raise ValueError("`digest` and `read` go together: a digest says where it was read, and no digest nowhere")
        if self.tag == "latest":
            raise ValueError("`tag` is `latest`: name a version")
        return self


Lock = dict[str, dict[str, LockedImage]]


def load(path: Path = LOCK) -> Lock:
    """The locked images by backend and version. Raises ImageError, naming file, key and what is wrong with it."""
    try:
        return TypeAdapter(Lock).validate_python(yaml.safe_load(path.read_text()))
    except yaml.YAMLError as error:
        raise ImageError(f"{path}: {error}") from None
    except ValidationError as error:
        raise ImageError("\n".join(f"{path}: {mistake}" for mistake in _mistakes(error))) from None


def source_name(name: str, version: str, *, digest_required: bool = False, path: Path = LOCK) -> str:
    """The image to pull, like `docker.io/library/postgres:17.11@sha256:…`.

    Raises ImageError when the lock file has no such image, or no digest of it and `digest_required`.
    """
    versions = load(path).get(name, {})
    image = versions.get(version)
    if image is None:
        known = ", ".join(f'"{v}"' for v in versions) or "none"
        raise ImageError(f"{path.name} has no image for {name} {version}; versions of {name} there: {known}")
    if image.digest:
        return f"{image.sources[0]}:{image.tag}@{image.digest}"
    if digest_required:
        raise ImageError(
            f"{path.name}: `{name}.{version}.digest` is null, and production runs pinned images only: "
            "run `strata images lock` where a registry can be reached, and commit what it writes"
        )
    return f"{image.sources[0]}:{image.tag}"


def renew(progress: Callable[[str], None], *, docker_host: str | None = None, path: Path = LOCK) -> bool:
    """Asks the registries, through Docker, for the digest of every tag; writes those that changed, and says if any did.

    Raises ImageError when a registry does not answer. Comments and layout of the file stay.
    """
    from images.daemon import connect

    text = path.read_text()
    with connect(docker_host) as daemon:
        for name, versions in load(path).items():
            for version, image in versions.items():
                digest = daemon.registry_digest(f"{image.sources[0]}:{image.tag}")
                if digest == image.digest:
                    progress(f"{name} {version}: {image.tag} is still {digest}")
                    continue
                progress(f"{name} {version}: {image.tag} is {digest}, was {image.digest or 'not known'}")
                origin = f"{image.sources[0].split('/')[0]}, {datetime.now(UTC).date()}"
                text = _with_pin(text, name, version, {"digest": digest, "read": origin})
    changed = text != path.read_text()
    if changed:
        path.write_text(text)
    return changed


def _with_pin(text: str, name: str, version: str, values: dict[str, str]) -> str:
    """`text` with other values for the keys of one image."""
    lines, at = text.splitlines(), ("", "")
    for index, line in enumerate(lines):
        key = line.split(":")[0].strip().strip("\"'")
        indent = len(line) - len(line.lstrip())
        if key and not key.startswith("#"):
            at = (key, "") if indent == 0 else (at[0], key) if indent == 2 else at
        if at == (name, version) and indent == 4 and key in values:
            lines[index] = f"    {key}: {values[key]}"
    return "\n".join(lines) + "\n"


def _mistakes(error: ValidationError) -> Iterator[str]:
    for detail in error.errors(include_url=False):
        where = ".".join(str(part) for part in detail["loc"])
        if detail["type"] == "extra_forbidden":
            yield f"unknown key `{where}`; known here: {', '.join(LockedImage.model_fields)}"
        else:
            yield f"`{where}`: {detail['msg'].removeprefix('Value error, ')}"
