"""What a stack says of itself - its stage, its guarantees - has resources behind it that make it true."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from pulumi_policy import PolicyResource, Severity, StackValidationArgs

from policies.rules import container, images, tokens, values
from policies.rules.image_reference import ImageReference
from policies.rules.rule import StackRule

# Images of this project that answer like a server and are none (docs/qdrant-stand-in.md), by the last part of the name.
_STAND_INS = {"strata-qdrant": "docker.io/qdrant/qdrant"}

# What a server is told to speak TLS, and how to write it.
_TLS = {
    "postgres": (re.compile(r"\bssl\s*=\s*[\"']?on\b"), "ssl=on"),
    "redis": (re.compile(r"--tls-port\s+\d"), "--tls-port 6379 --port 0"),
    "qdrant": (re.compile(r"\bQDRANT__SERVICE__ENABLE_TLS=[\"']?true\b"), "QDRANT__SERVICE__ENABLE_TLS=true"),
    "minio": (re.compile(r"--certs-dir\b"), "--certs-dir /run/strata/secrets"),
}


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


def guarantees_kept(stack: StackValidationArgs) -> Iterator[tuple[str, str]]:
    root = _root(stack)
    if root is None:
        return
    for guarantee in values.each(root.props, "guarantees"):
        if check := _KEPT.get(guarantee):
            for urn, message in check(stack.resources):
                yield urn, f"{guarantee} is promised, and {message}, or take it out of the platform's `guarantees`"
        else:
            yield root.urn, f"guarantees: no rule knows what stands behind {guarantee}; write one of {', '.join(_KEPT)}"


def _encrypted_at_rest(resources: Sequence[PolicyResource]) -> Iterator[tuple[str, str]]:
    for resource in resources:
        if resource.resource_type == tokens.VOLUME:
            yield resource.urn, "a volume of Docker lies on the host's disk as the host has it; use another platform"


def _tls(resources: Sequence[PolicyResource]) -> Iterator[tuple[str, str]]:
    for resource, backend in _backends(resources):
        pattern, example = _TLS[backend]
        if not pattern.search(container.said(resource.props)):
            yield resource.urn, f"nothing tells {backend} to speak TLS; write {example}"


def _network_isolated(resources: Sequence[PolicyResource]) -> Iterator[tuple[str, str]]:
    networks: defaultdict[str, list[PolicyResource]] = defaultdict(list)
    for resource in resources:
        if resource.resource_type == tokens.CONTAINER:
            for network in values.each(resource.props, "networksAdvanced"):
                networks[network["name"]].append(resource)
    for resource, backend in _backends(resources):
        for network in values.each(resource.props, "networksAdvanced"):
            others = [other.name for other in networks[network["name"]] if other.urn != resource.urn]
            if others:
                yield resource.urn, f"{others[0]} reaches {backend} on the network {network['name']}; give it its own"


_KEPT: Mapping[str, Callable[[Sequence[PolicyResource]], Iterator[tuple[str, str]]]] = {
    "encrypted_at_rest": _encrypted_at_rest,
    "network_isolated": _network_isolated,
    "tls": _tls,
}


def _root(stack: StackValidationArgs) -> PolicyResource | None:
    return next((resource for resource in stack.resources if resource.resource_type == tokens.STACK), None)


def _production_images(stack: StackValidationArgs) -> Iterator[tuple[PolicyResource, str, ImageReference]]:
    """Resource, property and image; nothing where the stage is another one."""
    root = _root(stack)
    if root is None or root.props.get("stage") != "production":
        return
    for resource in stack.resources:
        if resource.resource_type in images.NAMING:
            for where, image in images.named(resource.resource_type, resource.props):
                yield resource, where, image


def _backends(resources: Sequence[PolicyResource]) -> Iterator[tuple[PolicyResource, str]]:
    for resource in resources:
        if resource.resource_type == tokens.CONTAINER and (backend := container.backend(resource.props)):
            yield resource, backend


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
    StackRule(
        name="guarantees-kept",
        description="What the platform promises, its resources keep.",
        check=guarantees_kept,
        severity=Severity.CRITICAL,
        remediation_steps="Add the resources that keep the promise, or take it out of the platform's guarantees.",
        url="https://cheatsheetseries.owasp.org/cheatsheets/Secure_Product_Design_Cheat_Sheet.html",
    ),
)
