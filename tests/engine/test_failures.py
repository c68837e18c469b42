"""What a step that fails, or is cut off, leaves in the state; and what cannot be begun."""

from typing import Any

import pytest

from engine.integrity import verify
from engine.state import PendingOperation, ResourceState, Snapshot
from engine.values import Secret
from tests.engine.cloud import THING
from tests.engine.direct import Direct, Registering, one


def test_a_failure_keeps_what_is_finished_and_deletes_nothing(direct: Direct) -> None:
    direct.run(lambda p: p.thing("old"))

    def program(p: Registering) -> None:
        p.thing("a")
        p.thing("b", {"fail": "create", "value": "xyz"})
        p.thing("never")

    failed = direct.run(program)
    assert failed.failed
    assert failed.errors == "cannot create b with xyz"
    assert direct.cloud.calls() == ["create a", "create b"]
    assert {entry.name for entry in direct.snapshot.resources if entry.custom and not entry.is_provider} == {"a", "old"}


def test_a_failed_update_keeps_the_old_entry(direct: Direct) -> None:
    direct.run(one({"value": 1}))
    direct.run(one({"value": 2, "fail": "update"}))
    assert direct.entry("a").inputs["value"] == 1


def test_a_failed_deletion_keeps_the_entry(direct: Direct) -> None:
    direct.run(lambda p: p.thing("b", {"fail": "delete"}, after=[p.thing("a")]))
    failed = direct.run(None)
    assert failed.failed
    assert direct.cloud.calls() == ["delete b"]
    assert direct.entry("a")
    assert direct.entry("b")


def test_a_partly_failed_creation_is_recorded_and_updated_by_the_next_run(direct: Direct) -> None:
    failed = direct.run(one({"fail": "partly"}))
    assert failed.failed
    assert direct.entry("a").init_errors == ("a is not ready",)
    done = direct.run(one({"fail": "partly"}))
    assert done.steps[-1] == "update a"
    assert direct.entry("a").init_errors == ()


def test_errors_do_not_show_secrets(direct: Direct) -> None:
    failed = direct.run(one({"value": Secret("s3cr3t"), "fail": "create"}))
    assert failed.errors == "cannot create a with [secret]"


@pytest.mark.parametrize(
    ("program", "text"),
    [
        (lambda p: [p.thing("a"), p.thing("a")], "registered twice"),
        (one({"value": "refused"}), "value: is refused"),
        (one({}, type="test:index:Unheard"), "test:index:Unheard is not a thing"),
        (one({}, type="gcp:storage/bucket:Bucket"), "no provider for package 'gcp'"),
        (one({}, type="random:index/randomPet:RandomPet"), "random:index/randomPet:RandomPet is not supported"),
    ],
)
def test_what_cannot_be_done_is_said_by_the_dry_pass(direct: Direct, program: Any, text: str) -> None:
    refused = direct.run(program, dry=True)
    assert refused.failed
    assert text in refused.errors
    assert direct.cloud.calls() == []


def test_every_saved_state_keeps_the_official_rules(direct: Direct) -> None:
    def program(kind: str, *names: str) -> Any:
        def run(p: Registering) -> None:
            a = p.thing("a", {"kind": kind, "dbr": True})
            b = p.thing("b", {"kind": kind}, after=[a])
            c = p.thing("c", of={"kind": a}, parent=b)
            for name in names:
                p.thing(name, after=[c, b])

        return run

    saved = []
    for run in (program("x", "d", "e"), program("y", "e"), program("z"), None):
        done = direct.run(run)
        assert not done.failed, done.errors
        saved += done.saved
    assert len(saved) > 20
    for snapshot in saved:
        verify(snapshot.resources)


def test_each_step_is_in_the_state_before_and_after_its_call(direct: Direct) -> None:
    done = direct.run(one({"value": 1}))
    pending = [[(operation.type, operation.resource.name) for operation in save.pending] for save in done.saved]
    begun = pending.index([("creating", "a")])
    assert "a" not in {entry.name for entry in done.saved[begun].resources}
    assert pending[begun + 1] == []
    assert "a" in {entry.name for entry in done.saved[begun + 1].resources}


def test_an_interrupted_creation_stays_known_until_one_succeeds(direct: Direct) -> None:
    entry = ResourceState(urn="urn:pulumi:dev::p::test:index:Thing::a", type=THING, custom=True)
    left = PendingOperation(entry, "creating")
    direct.snapshot = Snapshot(pending=(left, left))

    def pending() -> list[str]:
        return [operation.resource.name for operation in direct.snapshot.pending]

    direct.run(lambda p: p.thing("b"))
    assert pending() == ["a"]
    failed = direct.run(one({"fail": "create"}))
    assert all(len(save.pending) <= 1 for save in failed.saved)
    assert pending() == ["a"]
    direct.run(one({}))
    assert pending() == []
