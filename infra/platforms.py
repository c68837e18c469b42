"""Picks the platform. Nothing else branches on its kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import images
from components.claims import Application
from components.naming import Naming
from components.specs import Stage
from infra import conflicts
from infra.mistakes import SettingsError
from infra.settings import DockerSettings, EbsClass, ExistingClass, Settings

if TYPE_CHECKING:
    from components.platform import Platform


@dataclass(frozen=True, kw_only=True)
class LocalImages:
    """Backends whose images must be on a Docker daemon before `up`, since nothing pulls them."""

    backends: tuple[str, ...]
    docker_host: str | None


def make(
    settings: Settings, applications: tuple[Application, ...], project: str, stack: str, *, pinned: bool = True
) -> "Platform":
    """The platform that `settings` ask for. Raises SettingsError for a guarantee that it does not keep.

    `pinned=False` is for who only looks: a production stack then need not know the digest of every image.
    """
    platform = settings.platform
    guarantees = _guarantees(settings, stack)
    if isinstance(platform, DockerSettings):
        # Imported here with the SDK: half a second that `strata up`, which asks for `local_images`, need not wait.
        from components.docker.platform import DockerPlatform

        prefix = f"{stack}-" if platform.prefix is None else platform.prefix
        names = Naming(project=project, stack=stack, prefix=prefix)
        return DockerPlatform(
            "docker", names, _images(settings, stack, pinned=pinned), platform.host, settings.delete_data
        )
    from components.kubernetes.certificates import Lifetime
    from components.kubernetes.context import Storage
    from components.kubernetes.network import Peer
    from components.kubernetes.platform import KubernetesArgs, KubernetesPlatform
    from components.kubernetes.storage_class import class_name

    conflicts.refuse_in_cluster(platform.namespace, platform.prefix, applications)
    storage, scraper, lifetime = platform.storage, platform.metrics, platform.certificates
    args = KubernetesArgs(
        naming=Naming(project=project, stack=stack, prefix=platform.prefix),
        namespace=platform.namespace,
        context=platform.context,
        images=_images(settings, stack, pinned=pinned),
        guarantees=guarantees,
        storage=(
            Storage(name=class_name(stack), encrypted=True, declared=True)
            if isinstance(storage, EbsClass)
            else Storage(name=storage.name, encrypted=storage.encrypted)
        ),
        kms_key_id=storage.kms_key_id if isinstance(storage, EbsClass) else None,
        metrics=Peer(namespace=scraper.namespace, labels=scraper.pods) if scraper else None,
        lifetime=Lifetime(hours=lifetime.hours, renewal_hours=lifetime.renewal_hours),
        delete_data=settings.delete_data,
    )
    return KubernetesPlatform("kubernetes", args, applications)


def _guarantees(settings: Settings, stack: str) -> tuple[str, ...]:
    """Those that are claimed, or all that the platform keeps. Raises SettingsError for one that it does not keep."""
    platform, kept = settings.platform, set[str]()
    if not isinstance(platform, DockerSettings):
        kept = {"tls", "network_isolated"} | ({"encrypted_at_rest"} if _encrypts(platform.storage) else set())
    wanted = kept if settings.guarantees is None else set(settings.guarantees)
    for missing in sorted(wanted - kept):
        cure = "remove it from strata:guarantees"
        if missing == "encrypted_at_rest" and not isinstance(platform, DockerSettings):
            cure += (
                ", or name a class that encrypts:\n"
                "  strata:platform:\n    storage: {kind: existing, name: …, encrypted: true}"
            )
        raise SettingsError(
            f"Pulumi.{stack}.yaml: strata:guarantees has `{missing}`, which the platform {platform.kind} of this"
            f" stack does not keep: {cure}"
        )
    return tuple(sorted(wanted))


def _encrypts(storage: ExistingClass | EbsClass) -> bool:
    return isinstance(storage, EbsClass) or storage.encrypted


def plugins(kind: str | None) -> tuple[str, ...]:
    """The provider plugins that the official CLI needs for a platform; each has its version from `pulumi-<plugin>`."""
    return ("kubernetes", "random", "tls") if kind == "kubernetes" else ("docker", "random")


def local_images(settings: Settings) -> LocalImages | None:
    """What `strata up` builds first where it is missing."""
    platform = settings.platform
    if settings.images.source != "local" or not isinstance(platform, DockerSettings):
        return None
    return LocalImages(backends=tuple(_versions(settings)), docker_host=platform.host)


def _images(settings: Settings, stack: str, *, pinned: bool) -> Mapping[str, str]:
    """Backend -> image name. Raises SettingsError for one that production may not take."""
    versions = _versions(settings).items()
    try:
        if settings.images.source == "local":
            return {name: images.local_name(name, version) for name, version in versions}
        pinned = pinned and settings.stage is Stage.PRODUCTION
        return {name: images.source_name(name, version, digest_required=pinned) for name, version in versions}
    except images.ImageError as error:
        raise SettingsError(f"Pulumi.{stack}.yaml: {error}") from None


def _versions(settings: Settings) -> dict[str, str]:
    return {name: getattr(settings, name).version for name in ("postgres", "redis", "qdrant", "object_store")}
