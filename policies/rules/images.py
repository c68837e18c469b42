"""Which image runs is decided in this repository, and somebody still repairs it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pulumi_policy import ResourceValidationArgs, Severity

from policies.rules import container, tokens
from policies.rules.image_reference import ImageReference
from policies.rules.kubernetes import objects
from policies.rules.rule import ResourceRule
from policies.rules.values import Inputs


@dataclass(frozen=True)
class Abandoned:
    since: str  # ISO date
    what: str
    source: str
    instead: str


_BITNAMI = "an image that images/lock.yaml pins, or the server's official one"
_MINIO = "cgr.dev/chainguard/minio or docker.io/pgsty/minio, or an image built from the Go module's last commit"

_MINIO_ON_DOCKER_HUB = Abandoned(
    "2026-09-11",
    "the repository was deleted, digests included",
    "https://github.com/dandi/dandi-cli/pull/1921",
    _MINIO,
)

# Keys are a repository, or a prefix of repositories that ends with "/".
ABANDONED: dict[str, Abandoned] = {
    "docker.io/minio/minio": _MINIO_ON_DOCKER_HUB,
    "docker.io/minio/mc": _MINIO_ON_DOCKER_HUB,
    "quay.io/minio/": Abandoned(
        "2025-10-15",
        "the images are frozen at a release with CVE-2025-62506",
        "https://github.com/minio/minio/issues/21647",
        _MINIO,
    ),
    "docker.io/bitnami/": Abandoned(
        "2025-08-28",
        "versioned images were withdrawn",
        "https://github.com/bitnami/charts/issues/35164",
        _BITNAMI,
    ),
    "docker.io/bitnamilegacy/": Abandoned(
        "2025-08-28",
        "the images are a frozen copy without security updates",
        "https://github.com/bitnami/charts/issues/35164",
        _BITNAMI,
    ),
    "public.ecr.aws/bitnami/": Abandoned(
        "2026-06-10",
        "the images were withdrawn",
        "https://github.com/bitnami/charts/issues/36537",
        _BITNAMI,
    ),
}


def image_pinned(args: ResourceValidationArgs) -> Iterator[str]:
    for where, reference in named(args.resource_type, args.props):
        if reference.digest:
            continue
        if reference.tag is None:
            yield (
                f'{where}: "{reference.text}" has no tag, which means latest; write a version, as in '
                f'"{reference.text}:17.6", or a digest'
            )
        elif re.search(r"(^|[-.])latest($|[-.])", reference.tag) or not re.search(r"\d", reference.tag):
            yield (
                f'{where}: the tag "{reference.tag}" of "{reference.text}" moves, so two hosts run different versions '
                "and a restart can be an upgrade; write a version or a digest"
            )


def image_maintained(args: ResourceValidationArgs) -> Iterator[str]:
    for where, reference in named(args.resource_type, args.props):
        for repository, abandoned in ABANDONED.items():
            if reference.name == repository or (repository.endswith("/") and reference.name.startswith(repository)):
                yield (
                    f'{where}: "{reference.text}" comes from {repository.rstrip("/")}, where on {abandoned.since} '
                    f"{abandoned.what} ({abandoned.source}); write {abandoned.instead}"
                )


def named(resource_type: str, inputs: Inputs) -> Iterator[tuple[str, ImageReference]]:
    """Property and image, of each that has a name.

    A container of Docker may have an id that no preview knows; its image resource is checked then.
    """
    if resource_type in objects.PODS:
        names = [
            (f"{each.where}.image", ImageReference.parse(each.inputs.get("image") or ""))
            for each in objects.pod(resource_type, inputs).containers
        ]
    elif resource_type == tokens.REMOTE_IMAGE:
        names = [("name", ImageReference.parse(inputs.get("name") or ""))]
    else:
        names = [("image", container.image(inputs))]
    yield from ((where, reference) for where, reference in names if reference)


NAMING = objects.PODS | {tokens.CONTAINER, tokens.REMOTE_IMAGE}
"""The types that name an image."""

RULES = (
    ResourceRule(
        name="image-pinned",
        description="An image is named by a version or a digest, never by a tag that moves.",
        applies_to=NAMING,
        check=image_pinned,
        severity=Severity.HIGH,
        remediation_steps="Take the image's name from the functions in images/, which read images/lock.yaml.",
        url="https://docs.docker.com/build/building/best-practices/#pin-base-image-versions",
    ),
    ResourceRule(
        name="image-maintained",
        description="An image comes from a repository that is still maintained.",
        applies_to=NAMING,
        check=image_maintained,
        severity=Severity.HIGH,
        remediation_steps="Choose a maintained source; record it with its licence and end of life in images/lock.yaml.",
        url="https://github.com/bitnami/charts/issues/35164",
    ),
)
