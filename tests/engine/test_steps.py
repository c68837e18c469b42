"""What registrations do: create, leave, update, replace in both orders, delete; and what is refused."""

from typing import Any

import pytest

from engine.deletion import antichains
from engine.integrity import verify
from engine.providers.base import Properties
from engine.state import PendingOperation, ResourceState, Snapshot
from engine.values import Secret
from tests.engine.cloud import THING
from tests.engine.direct import Direct, Registering


def one(inputs: Properties, **options: Any) -> Any:
    return lambda program: program.thing("a", inputs, **options)


def test_a_second_run_changes_nothing(direct: Direct) -> None:
    first = direct.run(one({"value": 1}))
    assert first.changes == {"create": 2}
    before = direct.entry("a")
    second = direct.run(one({"value": 1}))
    assert second.changes == {"same": 2}
    assert direct.cloud.calls() == []
    assert (direct.entry("a").id, direct.entry("a").outputs) == (before.id, before.outputs)
    assert direct.entry("a").created == before.created


def test_a_changed_input_updates_in_place(direct: Direct) -> None:
    direct.run(one({"value": 1}))
    id = direct.entry("a").id
    done = direct.run(one({"value": 2}))
    assert done.steps == ["same p-dev", "update a"]
    assert direct.entry("a").id == id
    assert direct.cloud.things()[id]["value"] == 2


def test_a_dry_pass_says_the_same_and_changes_nothing(direct: Direct) -> None:
    direct.run(one({"value": 1, "kind": "x"}))
    before = direct.snapshot
    planned = direct.run(one({"value": 2, "kind": "y"}), dry=True)
    assert direct.cloud.calls() == []
    assert planned.saved == []
    assert direct.snapshot is before
    assert planned.changes == direct.run(one({"value": 2, "kind": "y"})).changes


def test_what_is_not_registered_is_deleted_dependents_first(direct: Direct) -> None:
    def program(p: Registering) -> None:
        a = p.thing("a")
        b = p.thing("b", of={"value": a})
        p.thing("c", after=[b])

    direct.run(program)
    direct.run(lambda p: None)
    assert direct.cloud.calls() == ["delete c", "delete b", "delete a"]
    assert [entry.type for entry in direct.snapshot.resources] == ["pulumi:pulumi:Stack"]


def test_destroy_leaves_nothing(direct: Direct) -> None:
    direct.run(lambda p: p.thing("b", after=[p.thing("a")]))
    done = direct.run(None)
    assert done.changes == {"delete": 3}
    assert direct.snapshot.resources == ()
    assert direct.cloud.things() == {}


def test_create_before_delete(direct: Direct) -> None:
    def program(kind: str) -> Any:
        return lambda p: p.thing("b", of={"value": p.thing("a", {"kind": kind})})

    direct.run(program("x"))
    old = direct.entry("a").id
    done = direct.run(program("y"))
    assert direct.cloud.calls() == ["create a", "update b", "delete a"]
    assert done.steps == ["same p-dev", "create-replacement a", "replace a (kind)", "update b", "delete-replaced a"]
    assert old not in direct.cloud.things()
    assert direct.entry("a").id in direct.cloud.things()


def test_a_replaced_resource_that_could_not_be_deleted_is_deleted_by_the_next_run(direct: Direct) -> None:
    direct.run(one({"kind": "x", "fail": "delete"}))
    old = direct.entry("a").id
    assert direct.run(one({"kind": "y"})).failed
    assert {entry.id for entry in direct.snapshot.resources if entry.delete} == {old}
    (direct.cloud.folder / f"{old}.json").unlink()
    marked = next(entry for entry in direct.snapshot.resources if entry.delete)
    marked.inputs.pop("fail")
    done = direct.run(one({"kind": "y"}))
    assert done.steps == ["same p-dev", "same a", "delete-replaced a"]
    assert not any(entry.delete for entry in direct.snapshot.resources)


def test_delete_before_replace_takes_dependents_that_would_be_replaced_with_it(direct: Direct) -> None:
    def program(kind: str) -> Any:
        def run(p: Registering) -> None:
            a = p.thing("a", {"kind": kind, "dbr": True})
            p.thing("b", of={"kind": a})  # replaced when a is
            c = p.thing("c", of={"value": a})  # only updated
            p.thing("d", after=[c])

        return run

    direct.run(program("x"))
    done = direct.run(program("y"))
    assert direct.cloud.calls()[:4] == ["delete b", "delete a", "create a", "create b"]
    assert {"delete c", "delete d"}.isdisjoint(direct.cloud.calls())
    assert done.changes["replace"] == 2
    assert set(direct.cloud.things()) == {direct.entry(name).id for name in "abcd"}
    assert not any(entry.pending_replacement or entry.delete for entry in direct.snapshot.resources)


def test_delete_before_replace_goes_from_the_last_dependent_to_the_first(direct: Direct) -> None:
    def program(kind: str) -> Any:
        def run(p: Registering) -> None:
            a = p.thing("a", {"kind": kind, "dbr": True})
            b = p.thing("b", of={"kind": a})
            p.thing("c", of={"kind": b})

        return run

    direct.run(program("x"))
    direct.run(program("y"))
    assert direct.cloud.calls() == [*("delete c", "delete b", "delete a"), *("create a", "create b", "create c")]


def test_an_option_of_the_program_decides_on_the_order(direct: Direct) -> None:
    direct.run(one({"kind": "x"}))
    direct.run(one({"kind": "y"}, delete_before_replace=True))
    assert direct.cloud.calls() == ["delete a", "create a"]


def test_a_failed_creation_after_delete_before_replace_is_made_good(direct: Direct) -> None:
    direct.run(one({"kind": "x", "dbr": True}))
    failed = direct.run(one({"kind": "y", "dbr": True, "fail": "create"}))
    assert failed.failed
    assert direct.entry("a").pending_replacement
    done = direct.run(one({"kind": "y", "dbr": True}))
    assert direct.cloud.calls() == ["create a"]
    assert done.changes["replace"] == 1
    assert not direct.entry("a").pending_replacement


def test_a_placeholder_of_a_removed_resource_is_dropped_without_a_call(direct: Direct) -> None:
    direct.run(one({"kind": "x", "dbr": True}))
    direct.run(one({"kind": "y", "dbr": True, "fail": "create"}))
    direct.run(lambda p: None)
    assert direct.cloud.calls() == []
    assert [entry.name for entry in direct.snapshot.resources] == ["p-dev"]


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


def test_retained_resources_leave_the_state_only(direct: Direct) -> None:
    direct.run(one({}, retain_on_delete=True))
    done = direct.run(lambda p: None)
    assert "delete a (retained)" in done.steps
    assert direct.cloud.calls() == []
    assert len(direct.cloud.things()) == 1


@pytest.mark.parametrize("program", [lambda p: None, None, one({"kind": "y"}, protect=True)])
def test_protected_resources_are_neither_deleted_nor_replaced(direct: Direct, program: Any) -> None:
    direct.run(lambda p: (p.thing("a", {"kind": "x"}, protect=True), p.thing("z") if program is None else None))
    refused = direct.run(program)
    assert "'a'" in refused.errors
    assert "protect" in refused.errors
    assert direct.cloud.calls() == []


def test_what_is_deleted_with_another_is_not_deleted_itself(direct: Direct) -> None:
    def program(p: Registering) -> None:
        a = p.thing("a")
        p.thing("b", deleted_with=a.urn)

    direct.run(program)
    done = direct.run(None)
    assert direct.cloud.calls() == ["delete a"]
    assert "delete b (deleted with a)" in done.steps


@pytest.mark.parametrize("first", [True, False])
def test_what_is_deleted_with_a_replaced_resource_is_made_anew(direct: Direct, first: bool) -> None:
    def program(kind: str) -> Any:
        def run(p: Registering) -> None:
            a = p.thing("a", {"kind": kind}, delete_before_replace=first)
            p.thing("b", deleted_with=a.urn)

        return run

    direct.run(program("x"))
    done = direct.run(program("y"))
    assert direct.cloud.calls() == (
        ["delete a", "create a", "create b"] if first else ["create a", "create b", "delete a"]
    )
    deleted = [step for step in done.steps if step.startswith("delete")]
    assert deleted == ["delete-replaced b (deleted with a)", "delete-replaced a"]
    assert (done.steps.index(deleted[0]) < done.steps.index("create-replacement b")) == first
    assert done.changes["replace"] == 2


def test_what_was_deleted_with_a_replaced_resource_leaves_the_state_after_what_refers_to_it(direct: Direct) -> None:
    def program(kind: str, *, whole: bool) -> Any:
        def run(p: Registering) -> None:
            a = p.thing("a", {"kind": kind}, delete_before_replace=True)
            if whole:
                b = p.thing("b", deleted_with=a.urn)
                c = p.thing("c", after=[b], retain_on_delete=True)
                p.thing("d", after=[c])

        return run

    direct.run(program("x", whole=True))
    done = direct.run(program("y", whole=False))
    assert not done.failed
    for snapshot in done.saved:
        verify(snapshot.resources)
    assert direct.cloud.calls() == ["delete a", "create a", "delete d"]
    assert [entry.urn.split("::")[-1] for entry in direct.snapshot.resources if entry.type == THING] == ["a"]


def test_replace_with(direct: Direct) -> None:
    def program(kind: str) -> Any:
        def run(p: Registering) -> None:
            a = p.thing("a", {"kind": kind})
            p.thing("b", replace_with=(a.urn,))

        return run

    direct.run(program("x"))
    assert direct.run(program("y")).changes["replace"] == 2


def test_ignored_changes_keep_the_old_value(direct: Direct) -> None:
    direct.run(one({"value": {"x": 1, "y": 1}}))
    done = direct.run(one({"value": {"x": 2, "y": 1}}, ignore_changes=("value.x",)))
    assert done.changes == {"same": 2}
    done = direct.run(one({"value": {"x": 2, "y": 2}}, ignore_changes=("value.x",)))
    assert done.steps[-1] == "update a"
    assert direct.entry("a").inputs["value"] == {"x": 1, "y": 2}


def test_a_change_can_be_asked_to_replace(direct: Direct) -> None:
    direct.run(one({"value": 1}))
    done = direct.run(one({"value": 2}, replace_on_changes=("value",)))
    assert done.changes["replace"] == 1


def test_a_generated_name_is_kept_until_the_resource_is_replaced(direct: Direct) -> None:
    direct.run(one({"value": 1}))
    label = direct.entry("a").inputs["label"]
    direct.run(one({"value": 2}))
    assert direct.entry("a").inputs["label"] == label


def test_an_alias_renames_and_what_refers_to_it_follows(direct: Direct) -> None:
    direct.run(lambda p: p.thing("b", of={"value": p.thing("a")}))
    old = direct.entry("a")

    def program(p: Registering) -> None:
        a = p.thing("renamed", {"value": 1}, aliases=(old.urn,))
        p.thing("b", of={"value": a})

    done = direct.run(program)
    assert done.changes == {"same": 2, "update": 1}
    assert done.saved
    for snapshot in done.saved:
        verify(snapshot.resources)
    assert direct.entry("renamed").id == old.id
    assert direct.entry("b").dependencies == (direct.entry("renamed").urn,)


def test_components_change_when_their_inputs_do(direct: Direct) -> None:
    def program(size: int) -> Any:
        def run(p: Registering) -> None:
            component = p.thing("c", {"size": size}, type="my:index:C", custom=False)
            p.thing("a", parent=component)
            p.outputs(component, {"size": size})

        return run

    direct.run(program(1))
    assert direct.entry("a").urn == "urn:pulumi:dev::p::my:index:C$test:index:Thing::a"
    assert direct.entry("c").outputs == {"size": 1}
    done = direct.run(program(2))
    assert done.changes == {"same": 2, "update": 1}
    assert direct.entry("c").outputs == {"size": 2}


def test_children_inherit_what_they_do_not_say(direct: Direct) -> None:
    def program(p: Registering) -> None:
        parent = p.thing("parent", protect=True, retain_on_delete=True)
        p.thing("child", parent=parent)
        p.thing("own", parent=parent, protect=False)

    direct.run(program)
    assert (direct.entry("child").protect, direct.entry("child").retain_on_delete) == (True, True)
    assert direct.entry("own").protect is False


def test_outputs_are_secret_where_their_inputs_are_or_the_program_says_so(direct: Direct) -> None:
    direct.run(
        one({"value": Secret("s3cr3t"), "nested": {"x": Secret("t0p"), "y": 1}}, additional_secret_outputs=("token",))
    )
    entry = direct.entry("a")
    assert entry.outputs["value"] == Secret("s3cr3t")
    assert entry.outputs["nested"] == {"x": Secret("t0p"), "y": 1}
    assert isinstance(entry.outputs["token"], Secret)
    assert not isinstance(entry.outputs["path"], Secret)


def test_errors_do_not_show_secrets(direct: Direct) -> None:
    failed = direct.run(one({"value": Secret("s3cr3t"), "fail": "create"}))
    assert failed.errors == "cannot create a with [secret]"


@pytest.mark.parametrize(
    ("program", "text"),
    [
        (lambda p: [p.thing("a"), p.thing("a")], "registered twice"),
        (one({"value": "refused"}), "value: is refused"),
        (one({}, type="test:index:Unheard"), "test:index:Unheard is not a thing"),
        (one({}, type="aws:s3/bucket:Bucket"), "no provider for package 'aws'"),
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


def test_twins_of_one_urn_can_be_scheduled_though_they_refer_to_each_other() -> None:
    def entry(urn: str, *dependencies: str) -> ResourceState:
        return ResourceState(urn=urn, type="t:t:t", custom=True, dependencies=dependencies)

    old, other, new = entry("a", "b"), entry("b", "a"), entry("a")
    assert antichains([old, other, new]) == [[new], [other], [old]]
