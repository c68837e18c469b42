"""What a platform promises - its guarantees - has resources behind it that make it true."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from pulumi_policy import PolicyResource, Severity, StackValidationArgs

from policies.rules import container, posture, tokens, values
from policies.rules.kubernetes import guarantees as cluster
from policies.rules.rule import StackCheck, StackRule

# What a server is told to speak TLS, and how to write it.
_TLS = {
    "postgres": (re.compile(r"\bssl\s*=\s*[\"']?on\b"), "ssl=on"),
    "redis": (re.compile(r"--tls-port\s+\d"), "--tls-port 6379 --port 0"),
    "qdrant": (re.compile(r"\bQDRANT__SERVICE__ENABLE_TLS=[\"']?true\b"), "QDRANT__SERVICE__ENABLE_TLS=true"),
    "minio": (re.compile(r"--certs-dir\b"), "--certs-dir /run/strata/secrets"),
}


def guarantees_kept(stack: StackValidationArgs) -> Iterator[tuple[str, str]]:
    root = posture.root(stack)
    if root is None:
        return
    for guarantee in values.each(root.props, "guarantees"):
        if checks := _KEPT.get(guarantee):
            for urn, message in (found for check in checks for found in check(stack)):
                yield urn, f"{guarantee} is promised, and {message}, or take it out of the platform's `guarantees`"
        else:
            yield root.urn, f"guarantees: no rule knows what stands behind {guarantee}; write one of {', '.join(_KEPT)}"


def _encrypted_at_rest(stack: StackValidationArgs) -> Iterator[tuple[str, str]]:
    for resource in stack.resources:
        if resource.resource_type == tokens.VOLUME:
            yield resource.urn, "a volume of Docker lies on the host's disk as the host has it; use another platform"


def _tls(stack: StackValidationArgs) -> Iterator[tuple[str, str]]:
    for resource, backend in _backends(stack):
        pattern, example = _TLS[backend]
        if not pattern.search(container.said(resource.props)):
            yield resource.urn, f"nothing tells {backend} to speak TLS; write {example}"


def _network_isolated(stack: StackValidationArgs) -> Iterator[tuple[str, str]]:
    networks: defaultdict[str, list[PolicyResource]] = defaultdict(list)
    for resource in stack.resources:
        if resource.resource_type == tokens.CONTAINER:
            for network in values.each(resource.props, "networksAdvanced"):
                networks[network["name"]].append(resource)
    for resource, backend in _backends(stack):
        for network in values.each(resource.props, "networksAdvanced"):
            others = [other.name for other in networks[network["name"]] if other.urn != resource.urn]
            if others:
                yield resource.urn, f"{others[0]} reaches {backend} on the network {network['name']}; give it its own"


_KEPT: Mapping[str, Sequence[StackCheck]] = {
    "encrypted_at_rest": (_encrypted_at_rest, cluster.encrypted_at_rest),
    "network_isolated": (_network_isolated, cluster.network_isolated),
    "tls": (_tls, cluster.tls),
}


def _backends(stack: StackValidationArgs) -> Iterator[tuple[PolicyResource, str]]:
    for resource in stack.resources:
        if resource.resource_type == tokens.CONTAINER and (backend := container.backend(resource.props)):
            yield resource, backend


RULES = (
    StackRule(
        name="guarantees-kept",
        description="What the platform promises, its resources keep.",
        check=guarantees_kept,
        severity=Severity.CRITICAL,
        remediation_steps="Add the resources that keep the promise, or take it out of the platform's guarantees.",
        url="https://cheatsheetseries.owasp.org/cheatsheets/Secure_Product_Design_Cheat_Sheet.html",
    ),
)
