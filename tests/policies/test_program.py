"""The rules, and what an analyzer is not told, over the program that `strata up` runs."""

import pytest
from pulumi.runtime.proto import resource_pb2

from policies.rules import tokens
from tests.policies.harness import evaluate
from tests.policies.program import examples, registrations

Registrations = dict[str, resource_pb2.RegisterResourceRequest]


@pytest.fixture(scope="module", params=["local", "registry"])
def program(request: pytest.FixtureRequest) -> Registrations:
    return registrations(request.param)


def test_no_rule_finds_anything_and_none_is_left_undecided(program: Registrations) -> None:
    stack = examples(program)
    assert {tokens.CONTAINER, tokens.VOLUME, tokens.REMOTE_IMAGE} <= {example.type for example in stack}
    assert evaluate(*stack) == ({}, set())


def test_what_holds_data_is_retained(program: Registrations) -> None:
    holding = [r for r in program.values() if r.type == tokens.VOLUME and r.name.endswith("-data")]
    holding += [r for r in program.values() if r.type.endswith((":Database", ":Migrations", ":Bucket", ":Collection"))]
    assert {r.name for r in holding} == {
        "postgres-data",
        "redis-data",
        "object-store-data",
        "qdrant-data",
        "alfred-qdrant-collection-alfred_documents",
        *(f"alfred-object-store-bucket-{b}" for b in ("platform", "agent-documents", "user-uploads", "system-backups")),
        *(
            f"alfred-volumes-{v}-data"
            for v in ("db-storage", "llm-service", "monitoring-metrics", "monitoring-dashboard")
        ),
        "alfred-postgres-database",
        "alfred-postgres-migrations",
    }
    assert [r.name for r in holding if not r.retainOnDelete] == [], "destroy would delete it"


def test_access_has_a_real_delete_and_goes_with_its_backend(program: Registrations) -> None:
    access = [
        r for r in program.values() if r.type.endswith((":Role", ":RedisUser", ":ObjectStoreUser", ":QdrantLogin"))
    ]
    assert access
    assert [r.name for r in access if r.retainOnDelete or not r.deletedWith] == []
