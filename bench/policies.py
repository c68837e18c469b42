"""How long the rules of the policy pack take over 500 containers, without an engine."""

from collections.abc import Iterator

from pulumi_policy import (
    PolicyCustomTimeouts,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    StackValidationArgs,
)
from pulumi_policy.proxy import unknown_checking_proxy

from bench.measure import Series, seconds
from bench.table import Goal, Row
from policies.rules import RULES, ResourceRule, tokens

COUNT = 500
GOAL = Goal(limit=0.5, direction="less than", of="value")

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
}


def rows(rounds: int) -> Iterator[Row]:
    taken = [seconds(_all_rules) for _ in range(rounds)]
    yield Row(name=f"all rules on {COUNT} containers", unit="s", ours=Series(tuple(taken)), goal=GOAL)


def _all_rules() -> None:
    resources = [_resource(number) for number in range(COUNT)]
    stack = StackValidationArgs(resources)
    for rule in RULES:
        if isinstance(rule, ResourceRule):
            validate = rule.policy().validate
            for resource in resources:
                validate(_arguments(resource), _report)
        else:
            rule.policy().validate(stack, _report)


def _resource(number: int) -> PolicyResource:
    options = PolicyResourceOptions(False, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])
    urn = f"urn:pulumi:bench::strata::{tokens.CONTAINER}::c{number}"
    return PolicyResource(
        tokens.CONTAINER, unknown_checking_proxy(_INPUTS), urn, f"c{number}", options, None, None, [], {}
    )


def _arguments(resource: PolicyResource) -> ResourceValidationArgs:
    return ResourceValidationArgs(
        resource.resource_type, resource.props, resource.urn, resource.name, resource.opts, resource.provider
    )


def _report(message: str, urn: str | None = None) -> None:
    raise AssertionError(f"what is measured is right, and a rule says {message}")
