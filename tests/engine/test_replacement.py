"""What is replaced, in which order, and what goes with it."""

from typing import Any

import pytest

from engine.integrity import verify
from tests.engine.cloud import THING
from tests.engine.direct import Direct, Registering, one


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


def test_a_change_can_be_asked_to_replace(direct: Direct) -> None:
    direct.run(one({"value": 1}))
    done = direct.run(one({"value": 2}, replace_on_changes=("value",)))
    assert done.changes["replace"] == 1


def test_a_generated_name_is_kept_until_the_resource_is_replaced(direct: Direct) -> None:
    direct.run(one({"value": 1}))
    label = direct.entry("a").inputs["label"]
    direct.run(one({"value": 2}))
    assert direct.entry("a").inputs["label"] == label
