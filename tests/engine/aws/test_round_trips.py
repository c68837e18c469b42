"""Each resource type: made, found as it was asked for, changed by somebody else and put right, and gone in the end."""

import pytest

from engine.providers.aws.provider import TYPES
from tests.engine.aws.cases import CASES, NAME, Case
from tests.engine.aws.conftest import ALIAS, KEY, TAGS, Bench, setting


def test_every_type_but_the_alias_is_tried() -> None:
    assert {case.type for case in CASES} | {ALIAS} == set(TYPES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_was_made_is_found_as_it_was_asked_for(bench: Bench, case: Case) -> None:
    case.before(bench)
    made = bench.create(case.type, **case.inputs)
    found = bench.read(case.type, made)
    assert found is not None
    assert found.outputs == made.outputs, "a refresh would rewrite the state"
    assert not bench.diff(case.type, found, **case.inputs).changed
    assert not bench.diff(case.type, made, **case.inputs).changed


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_somebody_changed_is_found_and_put_right(bench: Bench, case: Case) -> None:
    case.before(bench)
    made = bench.create(case.type, **case.inputs)
    case.disturb(bench.moto)
    drifted = bench.read(case.type, made)
    if drifted is None:  # what was removed is made again
        bench.create(case.type, **case.inputs)
    else:
        assert bench.diff(case.type, drifted, **case.inputs).changed
        bench.update(case.type, drifted, **case.inputs)
    assert bench.read(case.type, made) is not None
    found = bench.read(case.type, made)
    assert found is not None
    assert not bench.diff(case.type, found, **case.inputs).changed


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_change_is_seen_by_a_plan_and_made_in_place(bench: Bench, case: Case) -> None:
    case.before(bench)
    made = bench.create(case.type, **case.inputs)
    wanted = {**case.inputs, **case.change}
    planned = bench.diff(case.type, made, **wanted)
    assert planned.changed
    assert not planned.replaces
    changed = bench.update(case.type, made, **wanted)
    found = bench.read(case.type, changed)
    assert found is not None
    assert found.outputs == changed.outputs
    assert not bench.diff(case.type, found, **wanted).changed


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_deleted_is_gone_and_can_be_deleted_again(bench: Bench, case: Case) -> None:
    case.before(bench)
    made = bench.create(case.type, **case.inputs)
    bench.delete(case.type, made)
    bench.delete(case.type, made)
    if case.type == KEY:
        facts = bench.moto.client("kms").describe_key(KeyId=made.id)["KeyMetadata"]
        assert facts["KeyState"] == "PendingDeletion"
    elif case.type == setting("BucketVersioning"):
        assert bench.moto.client("s3").get_bucket_versioning(Bucket=NAME)["Status"] == "Suspended"
    elif case.type == setting("BucketObjectLockConfiguration"):
        lock = bench.moto.client("s3").get_object_lock_configuration(Bucket=NAME)["ObjectLockConfiguration"]
        assert "Rule" not in lock, "new objects would still be locked"
    else:
        assert bench.read(case.type, made) is None


def test_an_alias_follows_its_key(bench: Bench) -> None:
    first, second = bench.create(KEY, tags=TAGS), bench.create(KEY, tags={**TAGS, "n": "2"})
    made = bench.create(ALIAS, name="alias/strata", targetKeyId=first.outputs["arn"])
    found = bench.read(ALIAS, made)
    assert found is not None
    assert found.outputs == made.outputs
    assert not bench.diff(ALIAS, found, name="alias/strata", targetKeyId=first.id).changed, "an ARN is the id's key"
    assert bench.diff(ALIAS, found, name="alias/strata", targetKeyId=second.id).paths == ("targetKeyId",)
    moved = bench.update(ALIAS, found, name="alias/strata", targetKeyId=second.id)
    assert bench.moto.client("kms").describe_key(KeyId="alias/strata")["KeyMetadata"]["KeyId"] == second.id
    bench.delete(ALIAS, moved)
    assert bench.read(ALIAS, moved) is None
