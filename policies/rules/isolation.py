"""No two applications have one thing: each would read, and overwrite, what is the other's."""

from collections.abc import Iterator, Mapping
from typing import Any

from pulumi_policy import PolicyResource, Severity, StackValidationArgs

from policies.rules import tokens
from policies.rules.rule import StackRule

_NAMED = {
    tokens.DATABASE: "database",
    tokens.ROLE: "role",
    tokens.BUCKET: "bucket",
    tokens.COLLECTION: "collection",
}


def claims_disjoint(stack: StackValidationArgs) -> Iterator[tuple[str, str]]:
    owners: dict[tuple[str, str, str], str] = {}
    prefixes: list[tuple[str, PolicyResource]] = []
    for resource in sorted(
        stack.resources, key=lambda each: each.urn
    ):  # an engine has them in the order of their making
        if what := _NAMED.get(resource.resource_type):
            name = resource.props["name"]
            other = owners.setdefault((what, _server(resource.props), name), resource.name)
            if other != resource.name:
                yield resource.urn, f"name: the {what} {name} is that of {other}, too; give one of them another name"
        elif resource.resource_type == tokens.REDIS_USER:
            prefixes.append((_server(resource.props), resource))
    for server, resource in prefixes:
        for other_server, inside in prefixes:
            wide, narrow = resource.props["prefix"], inside.props["prefix"]
            if server == other_server and resource.name != inside.name and narrow.startswith(wide):
                yield inside.urn, _within(narrow, wide, resource.name)


def _within(narrow: str, wide: str, owner: str) -> str:
    return f"prefix: {narrow} lies within {wide} of {owner}, who reads its keys, too; write one that does not begin so"


def _server(props: Mapping[str, Any]) -> str:
    """Names on two servers are two things."""
    admin = props["admin"]
    return f"{admin['host']}:{admin['port']:g}"


RULES = (
    StackRule(
        name="claims-disjoint",
        description="No two applications have one database, role, bucket, collection or key.",
        check=claims_disjoint,
        severity=Severity.CRITICAL,
        remediation_steps="Give one of the two another name or prefix in its application.yaml.",
        url="https://cheatsheetseries.owasp.org/cheatsheets/Multi_Tenant_Security_Cheat_Sheet.html",
    ),
)
