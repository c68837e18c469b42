"""What a program may say of a resource besides its inputs."""

from typing import Any

import pytest

from engine.integrity import verify
from engine.state import CustomTimeouts
from engine.values import Secret
from tests.engine.direct import Direct, Registering, one


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


def test_ignored_changes_keep_the_old_value(direct: Direct) -> None:
    direct.run(one({"value": {"x": 1, "y": 1}}))
    done = direct.run(one({"value": {"x": 2, "y": 1}}, ignore_changes=("value.x",)))
    assert done.changes == {"same": 2}
    done = direct.run(one({"value": {"x": 2, "y": 2}}, ignore_changes=("value.x",)))
    assert done.steps[-1] == "update a"
    assert direct.entry("a").inputs["value"] == {"x": 1, "y": 2}


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


def test_what_used_a_provider_that_is_renamed_can_be_deleted(direct: Direct) -> None:
    def provider(p: Registering, name: str, *aliases: str) -> str:
        return p.thing(name, type="pulumi:providers:test", aliases=aliases).reference

    direct.run(lambda p: p.thing("a", provider=provider(p, "old")))
    urn = direct.entry("old").urn
    done = direct.run(lambda p: provider(p, "new", urn))
    assert not done.failed, done.errors
    assert direct.cloud.calls() == ["delete a"]


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


def test_a_provider_is_told_how_long_it_may_take(direct: Direct) -> None:
    timeouts = CustomTimeouts(create=300, update=0, delete=90)
    for program in (one({"value": 1}, custom_timeouts=timeouts), one({"value": 2}, custom_timeouts=timeouts), None):
        direct.run(program)
    assert direct.cloud.timeouts == {"create": 300, "update": None, "delete": 90}
