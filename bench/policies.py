"""What the policy pack costs: its rules over 500 containers without an engine, and all of it in a preview."""

from collections.abc import Iterator
from typing import Any

from pulumi_policy import (
    PolicyCustomTimeouts,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    StackValidationArgs,
)
from pulumi_policy.proxy import unknown_checking_proxy
from pulumi_policy.secret import secrets_preserving_proxy

from bench.measure import Series, in_turns, seconds
from bench.stack import Stack, finish
from bench.table import Goal, Row
from policies.rules import RULES, ResourceRule, tokens

COUNT = 500
GOAL = Goal(limit=0.5, direction="less than", of="value")
ADDED = Goal(limit=1, direction="less than", of="value")  # seconds; about 5 are usual (pulumi/pulumi#6500)

# What this project's containers have, so that every rule looks at all that it would look at.
_INPUTS = {
    "name": "db-postgres",
    "image": "localhost/strata-postgres:17.6-0123456789ab",
    "user": "999:999",
    "memory": 1024.0,
    "memorySwap": 1024.0,
    "cpus": "1",
    "readOnly": True,
    "capabilities": {"drops": ["ALL"]},
    "securityOpts": ["no-new-privileges:true"],
    "restart": "unless-stopped",
    "stopTimeout": 120.0,
    "destroyGraceSeconds": 120.0,
    "logDriver": "json-file",
    "logOpts": {"max-size": "10m", "max-file": "3"},
    "envs": ["PGDATA=/var/lib/postgresql/data/pgdata"],
    "volumes": [{"containerPath": "/var/lib/postgresql/data", "volumeName": "db-postgres-data"}],
    "ports": [{"internal": 5432.0, "external": 5432.0, "ip": "127.0.0.1", "protocol": "tcp"}],
    "healthcheck": {"tests": ["CMD", "psql", "-h", "127.0.0.1", "-U", "postgres", "-c", "SELECT 1"]},
    "entrypoints": ["sh", "-c", "exec postgres", "strata"],
    "labels": [{"label": "strata.stack", "value": "strata/bench"}],
}


def rows(stack: Stack, rounds: int) -> Iterator[Row]:
    """Nothing is deployed. Raises BenchError."""
    taken = [seconds(_all_rules) for _ in range(rounds)]
    yield Row(name=f"all rules on {COUNT} containers", unit="s", ours=Series(tuple(taken)), goal=GOAL)
    previews = in_turns({"with": lambda: _preview(stack), "without": lambda: _without_pack(stack)}, rounds, warm_up=1)
    ours, theirs = previews["with"], previews["without"]
    yield Row(name="preview with and without the pack", unit="s", ours=ours, theirs=theirs)
    added = tuple(more - less for more, less in zip(ours.values, theirs.values, strict=True))
    yield Row(name="  seconds that the pack adds", unit="s", ours=Series(added), goal=ADDED)


def _preview(stack: Stack) -> float:
    return seconds(lambda: finish(stack.start("preview", "--engine", "embedded")))


def _without_pack(stack: Stack) -> float:
    pack, aside = stack.root / "policies", stack.root / "policies-aside"
    pack.rename(aside)
    try:
        return _preview(stack)
    finally:
        aside.rename(pack)


def _all_rules() -> None:
    resources = [_resource(number) for number in range(COUNT)]
    stack = StackValidationArgs(resources)
    for rule in RULES:
        if not isinstance(rule, ResourceRule):
            rule.policy().validate(stack, _report)
            continue
        policy = rule.policy()
        for resource in resources:
            if rule.check:
                policy.validate(_arguments(resource), _report)
            if rule.remediate and policy.remediate(_arguments(resource, secrets_preserving_proxy(dict(_INPUTS)))):
                raise AssertionError(f"what is measured is right, and {rule.name} changes it")


def _resource(number: int) -> PolicyResource:
    options = PolicyResourceOptions(False, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])
    urn = f"urn:pulumi:bench::strata::{tokens.CONTAINER}::c{number}"
    props = unknown_checking_proxy(_INPUTS)
    return PolicyResource(tokens.CONTAINER, props, urn, f"c{number}", options, None, None, [], {})


def _arguments(resource: PolicyResource, props: Any = None) -> ResourceValidationArgs:
    return ResourceValidationArgs(
        resource.resource_type, props or resource.props, resource.urn, resource.name, resource.opts, resource.provider
    )


def _report(message: str, urn: str | None = None) -> None:
    raise AssertionError(f"what is measured is right, and a rule says {message}")
