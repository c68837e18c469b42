"""No two applications have one thing, and each is let in to its own: else one overwrites what is the other's."""

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

# Type → the inputs that let somebody in, each with what it names.
_GRANTS = {
    tokens.DATABASE: {"owner": "role", "connect": "role", "readers": "role", "writers": "role"},
    tokens.ROLE: {"member_of": "role"},
    tokens.OBJECT_STORE_USER: {"buckets": "bucket"},
    tokens.QDRANT_LOGIN: {"collections": "collection"},
}


def claims_disjoint(stack: StackValidationArgs) -> Iterator[tuple[str, str]]:
    owners: dict[tuple[str, str, str], str] = {}
    prefixes: list[tuple[str, PolicyResource]] = []
    for resource in stack.resources:
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


def claimants_only(stack: StackValidationArgs) -> Iterator[tuple[str, str]]:
    slices = {
        (what, _server(resource.props), resource.props["name"]): resource.parent
        for resource in stack.resources
        if (what := _NAMED.get(resource.resource_type))
    }
    for resource in stack.resources:
        for key, what in _GRANTS.get(resource.resource_type, {}).items():
            given = resource.props.get(key) or ()
            for name in [given] if isinstance(given, str) else given:
                other = slices.get((what, _server(resource.props), name), resource.parent)
                if _urn(other) != _urn(resource.parent):
                    yield (
                        resource.urn,
                        (
                            f"{key}: the {what} {name} is in {_name(other)}, and this is in {_name(resource.parent)}; "
                            "let the two applications talk to each other, or claim one of its own"
                        ),
                    )


def _urn(slice_: PolicyResource | None) -> str:
    return slice_.urn if slice_ else ""


def _name(slice_: PolicyResource | None) -> str:
    return slice_.name if slice_ and slice_.resource_type != tokens.STACK else "no application's slice"


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
    StackRule(
        name="claimants-only",
        description="A database, bucket or collection lets in the application that claims it and no other.",
        check=claimants_only,
        severity=Severity.CRITICAL,
        remediation_steps="Grant to roles, and name buckets and collections, of the same slice only.",
        url="https://cheatsheetseries.owasp.org/cheatsheets/Multi_Tenant_Security_Cheat_Sheet.html",
    ),
)
