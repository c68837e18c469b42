"""Picks the platform. Nothing else branches on its kind."""

import images
from components.docker.platform import DockerPlatform
from components.naming import Naming
from components.platform import Platform
from components.specs import PostgresSpec, RedisSpec
from infra.mistakes import SettingsError
from infra.settings import DockerSettings, Settings


def make(settings: Settings, project: str, stack: str) -> Platform:
    """The platform that `settings` ask for. Raises SettingsError for one that is not there yet."""
    platform = settings.platform
    if isinstance(platform, DockerSettings):
        prefix = f"{stack}-" if platform.prefix is None else platform.prefix
        names = Naming(project=project, stack=stack, prefix=prefix)
        return DockerPlatform("docker", names, _images(settings), platform.host)
    raise SettingsError(
        f"Pulumi.{stack}.yaml: `strata:platform.kind` is {platform.kind}, and this version runs docker only.\n"
        "Use a stack whose kind is docker (Pulumi.dev.yaml), or write:\n"
        "  strata:platform:\n    kind: docker"
    )


def _images(settings: Settings) -> dict[str, str]:
    reference = images.local_name if settings.images.source == "local" else images.source_name
    return {backend: reference(backend, spec.version) for backend, spec in _backends(settings)}


def _backends(settings: Settings) -> list[tuple[str, PostgresSpec | RedisSpec]]:
    return [("postgres", settings.postgres), ("redis", settings.redis)]
