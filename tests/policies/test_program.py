"""The rules, and what an analyzer is not told, over the program that `strata up` runs."""

from collections.abc import Iterator

import pytest
from pulumi.runtime.proto import resource_pb2

from components.claims import Application
from policies.rules import RULES, exceptions, tokens
from policies.rules.exceptions import Recorded
from tests.policies.harness import evaluate
from tests.policies.program import applications, examples, registrations

RECORDED = exceptions.load(rule.name for rule in RULES)
Registrations = dict[str, resource_pb2.RegisterResourceRequest]


@pytest.fixture(scope="module", params=["local", "registry"])
def program(request: pytest.FixtureRequest) -> Registrations:
    return registrations(request.param)


def test_no_rule_finds_anything_that_is_not_recorded_and_none_is_left_undecided(program: Registrations) -> None:
    stack = examples(program)
    pinned = {value for name, value in vars(tokens).items() if name.isupper()}
    assert pinned <= {example.type for example in stack}
    assert evaluate(*stack, exceptions=RECORDED) == ({}, set())


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


def test_access_has_a_real_delete_and_goes_with_its_backend(program: Registrations) -> None:
    access = [
        r for r in program.values() if r.type.endswith((":Role", ":RedisUser", ":ObjectStoreUser", ":QdrantLogin"))
    ]
    assert access
    assert [r.name for r in access if r.retainOnDelete or not r.deletedWith] == []
