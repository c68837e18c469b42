"""`Resource.get`: what belongs to somebody else is looked at and never changed."""

import json
from typing import Any

import pytest

from engine.integrity import verify
from engine.values import UNKNOWN_TEXT, Secret
from tests.engine.direct import Direct, Registering

GIVEN = {"value": 7, "secret": "s3cr3t!"}


@pytest.fixture
def other(direct: Direct) -> str:
    """The id of a thing that somebody else made."""
    (direct.cloud.folder / "other-1.json").write_text(json.dumps(GIVEN))
    return "other-1"


def reading(id: str, **options: Any) -> Any:
    return lambda p: p.thing("b", of={"value": p.get("a", id, **options)})


def test_its_outputs_are_those_of_the_live_object(direct: Direct, other: str) -> None:
    done = direct.run(lambda p: p.get("a", other, {"more": 1}, additional_secret_outputs=("secret",)))
    assert done.steps == ["create p-dev", "read a"]
    entry = direct.entry("a")
    assert (entry.external, entry.id, entry.inputs) == (True, other, {"more": 1})
    assert entry.outputs == {"more": 1, "value": 7, "secret": Secret("s3cr3t!")}
    assert entry.protect is entry.retain_on_delete is False
    assert direct.run(lambda p: p.get("a", other), dry=True).changes == {"same": 1, "read": 1}


def test_it_is_never_deleted(direct: Direct, other: str) -> None:
    direct.run(reading(other))
    done = direct.run(lambda p: p.thing("b", {"value": other}))
    assert "discard a (not owned by this stack)" in done.steps
    direct.run(reading(other))
    assert "discard a (not owned by this stack)" in direct.run(None).steps
    assert "delete a" not in direct.cloud.calls()
    assert set(direct.cloud.things()) == {other}
    assert direct.snapshot.resources == ()


@pytest.mark.parametrize("dry", [True, False])
def test_one_that_is_not_there_is_an_error(direct: Direct, dry: bool) -> None:
    failed = direct.run(reading("ghost"), dry=dry)
    assert failed.errors == "test:index:Thing 'a': there is none with the id 'ghost'"
    assert direct.cloud.calls() == []


def test_what_depends_on_one_that_is_not_there_can_be_left_out(direct: Direct) -> None:
    program = lambda p: (reading("ghost")(p), p.thing("z"))  # noqa: E731
    assert direct.run(program, continue_on_error=True).failed
    assert direct.cloud.calls() == ["create z"]


def test_an_id_that_a_preview_does_not_know_makes_the_outputs_unknown(direct: Direct) -> None:
    planned = direct.run(lambda p: p.get("a", UNKNOWN_TEXT), dry=True)
    assert not planned.failed
    assert planned.changes == {"create": 1, "read": 1}


def test_a_stack_can_give_a_resource_away(direct: Direct) -> None:
    direct.run(lambda p: p.thing("a", {"value": 1}))
    id = direct.entry("a").id
    done = direct.run(lambda p: p.get("a", id))
    assert done.changes == {"same": 1, "read": 1}
    assert direct.entry("a").external
    assert direct.run(None).steps[0] == "discard a (not owned by this stack)"
    assert set(direct.cloud.things()) == {id}


def test_reading_another_object_in_its_place_deletes_the_stacks_own(direct: Direct, other: str) -> None:
    direct.run(lambda p: p.thing("a", {"value": 1}))
    done = direct.run(lambda p: p.get("a", other))
    for snapshot in done.saved:
        verify(snapshot.resources)
    assert direct.cloud.calls() == ["delete a"]
    assert set(direct.cloud.things()) == {other}
    assert direct.entry("a").id == other


def test_a_stack_can_make_its_own_instead(direct: Direct, other: str) -> None:
    direct.run(lambda p: p.get("a", other))
    direct.run(lambda p: p.thing("a", {"value": 1}))
    assert direct.cloud.calls() == ["create a"]
    assert not direct.entry("a").external
    assert other in direct.cloud.things()


def test_children_inherit_nothing_that_would_keep_it(direct: Direct, other: str) -> None:
    def program(p: Registering) -> None:
        p.get("a", other, parent=p.thing("group", type="my:index:Group", custom=False, protect=True))

    direct.run(program)
    assert direct.entry("a").protect is False
