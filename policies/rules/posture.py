"""A stack whose stage is production runs what was made for it."""

from collections.abc import Iterator

from pulumi_policy import PolicyResource, Severity, StackValidationArgs

from policies.rules import images, tokens
from policies.rules.image_reference import ImageReference
from policies.rules.rule import StackRule

# Images of this project that answer like a server and are none (docs/qdrant-stand-in.md), by the last part of the name.
_STAND_INS = {"strata-qdrant": "docker.io/qdrant/qdrant"}


def digest_in_production(stack: StackValidationArgs) -> Iterator[tuple[str, str]]:
    for resource, where, image in _production_images(stack):
        if not image.digest:
            yield (
                resource.urn,
                (
                    f'{where}: in production "{image.text}" may be another content tomorrow than what was tested; '
                    "write the digest too, as images/lock.yaml has it: name:tag@sha256:…"
                ),
            )


def no_stand_in_in_production(stack: StackValidationArgs) -> Iterator[tuple[str, str]]:
    for resource, where, image in _production_images(stack):
        if real := _STAND_INS.get(image.repository.rpartition("/")[2]):
            yield (
                resource.urn,
                (
                    f'{where}: "{image.text}" is a stand-in for development, without what keeps data in production; '
                    f"write the server's own image, {real}, with `strata:images: {{source: registry}}`"
                ),
            )


def root(stack: StackValidationArgs) -> PolicyResource | None:
    return next((resource for resource in stack.resources if resource.resource_type == tokens.STACK), None)


def _production_images(stack: StackValidationArgs) -> Iterator[tuple[PolicyResource, str, ImageReference]]:
    """Resource, property and image; nothing where the stage is another one."""
    own = root(stack)
    if own is None or own.props.get("stage") != "production":
        return
    for resource in stack.resources:
        if resource.resource_type in images.NAMING:
            for where, image in images.named(resource.resource_type, resource.props):
                yield resource, where, image


RULES = (
    StackRule(
        name="digest-in-production",
        description="A production stack runs the contents that were tested: its images are named by digest.",
        check=digest_in_production,
        severity=Severity.HIGH,
        remediation_steps="Take the image's name from the functions in images/, which read images/lock.yaml.",
        url="https://docs.docker.com/build/building/best-practices/#pin-base-image-versions",
    ),
    StackRule(
        name="no-stand-in-in-production",
        description="A production stack runs no stand-in for a server.",
        check=no_stand_in_in_production,
        severity=Severity.CRITICAL,
        remediation_steps="Write `strata:images: {source: registry}`, which takes the server's own image.",
        url="https://qdrant.tech/documentation/guides/installation/",
    ),
)
