"""What registrations do: create, leave, update, delete."""

from typing import Any

from engine.deletion import antichains
from engine.state import ResourceState
from tests.engine.direct import Direct, Registering, one


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


def test_twins_of_one_urn_can_be_scheduled_though_they_refer_to_each_other() -> None:
    def entry(urn: str, *dependencies: str) -> ResourceState:
        return ResourceState(urn=urn, type="t:t:t", custom=True, dependencies=dependencies)

    old, other, new = entry("a", "b"), entry("b", "a"), entry("a")
    assert antichains([old, other, new]) == [[new], [other], [old]]
