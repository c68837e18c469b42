"""Picks the platform. Nothing else branches on its kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import images
from components.naming import Naming
from components.specs import Stage
from infra.mistakes import SettingsError
from infra.settings import DockerSettings, Settings

if TYPE_CHECKING:
    from components.platform import Platform


@dataclass(frozen=True, kw_only=True)
class LocalImages:
    """Backends whose images must be on a Docker daemon before `up`, since nothing pulls them."""

    backends: tuple[str, ...]
    docker_host: str | None


def make(settings: Settings, project: str, stack: str) -> "Platform":
    """The platform that `settings` ask for. Raises SettingsError for one that is not there yet."""
    platform = settings.platform
    if isinstance(platform, DockerSettings):
        # Imported here with the SDK: half a second that `strata up`, which asks for `local_images`, need not wait.
        from components.docker.platform import DockerPlatform

        prefix = f"{stack}-" if platform.prefix is None else platform.prefix
        names = Naming(project=project, stack=stack, prefix=prefix)
        return DockerPlatform("docker", names, _images(settings, stack), platform.host, settings.delete_data)
    raise SettingsError(
        f"Pulumi.{stack}.yaml: `strata:platform.kind` is {platform.kind}, and this version runs docker only.\n"
        "Use a stack whose kind is docker (Pulumi.dev.yaml), or write:\n"
        "  strata:platform:\n    kind: docker"
    )


def local_images(settings: Settings) -> LocalImages | None:
    """What `strata up` builds first where it is missing."""
    platform = settings.platform
    if settings.images.source != "local" or not isinstance(platform, DockerSettings):
        return None
    return LocalImages(backends=tuple(_versions(settings)), docker_host=platform.host)


def _images(settings: Settings, stack: str) -> Mapping[str, str]:
    """Backend -> image name. Raises SettingsError for one that production may not take."""
    versions = _versions(settings).items()
    try:
        if settings.images.source == "local":
            return {name: images.local_name(name, version) for name, version in versions}
        pinned = settings.stage is Stage.PRODUCTION
        return {name: images.source_name(name, version, digest_required=pinned) for name, version in versions}
    except images.ImageError as error:
        raise SettingsError(f"Pulumi.{stack}.yaml: {error}") from None


def _versions(settings: Settings) -> dict[str, str]:
    return {name: getattr(settings, name).version for name in ("postgres", "redis", "qdrant", "object_store")}
