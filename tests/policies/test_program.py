"""The rules, and what an analyzer is not told, over the program that `strata up` runs."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pulumi.runtime.proto import resource_pb2
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from components.claims import Application
from policies.rules import RULES, exceptions, tokens
from policies.rules.exceptions import Recorded
from tests.policies.harness import evaluate
from tests.policies.program import PROD, applications, examples, registrations

RECORDED = exceptions.load(rule.name for rule in RULES)
Registrations = dict[str, resource_pb2.RegisterResourceRequest]


UNUSED = {tokens.CRON_JOB, tokens.DAEMON_SET, tokens.DEPLOYMENT, tokens.JOB, tokens.POD}
"""Types that rules look at for the day on which the program declares them."""


@pytest.fixture(scope="module", params=["local", "registry"])
def program(request: pytest.FixtureRequest) -> Registrations:
    return registrations(request.param)


@pytest.fixture(scope="module", params=["local", "registry"])
def in_cluster(request: pytest.FixtureRequest) -> Registrations:
    return registrations(request.param, PROD)


def test_no_rule_finds_anything_that_is_not_recorded_and_none_is_left_undecided(program: Registrations) -> None:
    assert evaluate(*examples(program), exceptions=RECORDED) == ({}, set())


def test_no_rule_finds_anything_in_a_cluster_either(in_cluster: Registrations) -> None:
    assert evaluate(*examples(in_cluster), exceptions=RECORDED) == ({}, set())


def test_what_a_first_preview_does_not_know_leaves_no_rule_undecided(in_cluster: Registrations) -> None:
    stack = [replace(example, inputs=_first_seen(example.inputs)) for example in examples(in_cluster)]
    assert str(stack).count(UNKNOWN_STRING_VALUE) > 100
    assert evaluate(*stack, exceptions=RECORDED) == ({}, set())


def _first_seen(value: Any, key: str = "") -> Any:
    """With all unknown that is generated, or made of what is."""
    if isinstance(value, str):
        generated = ("generated-password-of", "kept-secret-of", "-----BEGIN")
        hidden = key in ("strata.checksum", "strata.state") or any(mark in value for mark in generated)
        return UNKNOWN_STRING_VALUE if hidden else value
    if isinstance(value, list):
        return [_first_seen(item) for item in value]
    return {name: _first_seen(item, name) for name, item in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize(
    ("gone", "found"),
    [
        ("default-deny", {"default-deny", "guarantees-kept"}),
        ("db-postgres-policy", {"guarantees-kept"}),
        ("postgres-budget", {"disruption-budget"}),
        ("namespace", {"namespace-restricted"}),
        ("postgres-secrets", {"guarantees-kept"}),
    ],
)
def test_what_a_backend_needs_beside_it_is_missed(in_cluster: Registrations, gone: str, found: set[str]) -> None:
    stack = examples(in_cluster)
    left = [example for example in stack if example.name != gone]
    assert len(left) == len(stack) - 1
    assert set(evaluate(*left, exceptions=RECORDED)[0]) == found


def test_every_type_that_rules_look_at_is_one_of_the_program(program: Registrations, in_cluster: Registrations) -> None:
    pinned = {value for name, value in vars(tokens).items() if name.isupper()}
    declared = {request.type for stack in (program, in_cluster) for request in stack.values()}
    assert pinned - declared == UNUSED


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: f"{recorded.rule}: {recorded.resources}")
def test_an_exception_that_excuses_nothing_is_to_be_removed(program: Registrations, recorded: Recorded) -> None:
    others = [other for other in RECORDED if other != recorded]
    findings, _ = evaluate(*examples(program), exceptions=others)
    assert list(findings) == [recorded.rule]


def data_of(claim: Application) -> Iterator[str]:
    """Names of the resources that hold what an application has written."""
    if claim.postgres:
        yield from (f"{claim.name}-postgres-database", f"{claim.name}-postgres-migrations")
    if claim.redis and claim.redis.mode == "dedicated":
        yield f"redis-{claim.name}-data"
    if claim.qdrant:
        yield from (f"{claim.name}-qdrant-collection-{name}" for name in claim.qdrant.collections)
    if claim.object_store:
        yield from (f"{claim.name}-object-store-bucket-{name}" for name in claim.object_store.buckets)
    yield from (f"{claim.name}-volumes-{name}" for name in claim.volumes)


def test_what_holds_data_is_retained(program: Registrations) -> None:
    holding = [r for r in program.values() if r.type == tokens.VOLUME and r.name.endswith("-data")]
    holding += [r for r in program.values() if r.type.endswith((":Database", ":Migrations", ":Bucket", ":Collection"))]
    backends = {"postgres-data", "redis-data", "object-store-data", "qdrant-data"}
    assert {r.name for r in holding} == backends | {name for claim in applications() for name in data_of(claim)}
    assert [r.name for r in holding if not r.retainOnDelete] == [], "destroy would delete it"


def test_what_holds_data_in_a_cluster_is_retained(in_cluster: Registrations) -> None:
    kinds = (tokens.CLAIM, tokens.NAMESPACE, tokens.STORAGE_CLASS)
    holding = [r for r in in_cluster.values() if r.type in kinds]
    assert {r.type for r in holding} == set(kinds)
    assert [r.name for r in holding if not r.retainOnDelete] == [], "destroy would delete it"


def test_access_has_a_real_delete_and_goes_with_its_backend(program: Registrations) -> None:
    access = [
        r for r in program.values() if r.type.endswith((":Role", ":RedisUser", ":ObjectStoreUser", ":QdrantLogin"))
    ]
    assert access
    assert [r.name for r in access if r.retainOnDelete or not r.deletedWith] == []
