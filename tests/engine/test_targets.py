"""`--target`: what is named is done, and nothing else is touched."""

from typing import Any

import pytest

from engine.integrity import in_order, verify
from engine.selection import Selection
from engine.state import ResourceState
from tests.engine.cloud import THING
from tests.engine.direct import Direct, Pass, Registering

PREFIX = f"urn:pulumi:dev::p::{THING}::"


def things(**values: int) -> Any:
    """`b` depends on `a`, `d` on `c`; those that are given exist, with that value."""

    def run(p: Registering) -> None:
        made: dict[str, ResourceState] = {}
        for name, value in values.items():
            after = [made[other] for other in {"b": "a", "d": "c"}.get(name, "") if other in made]
            made[name] = p.thing(name, {"value": value}, after=after)

    return run


def untouched(direct: Direct, *names: str) -> dict[str, ResourceState]:
    return {name: direct.entry(name) for name in names}


def targeted(direct: Direct, program: Any, *names: str, **options: Any) -> Pass:
    """A real run, and a dry one before it that has to say the same."""
    targets = tuple(f"**::{name}" for name in names)
    planned = direct.run(program, dry=True, targets=targets, **options)
    done = direct.run(program, targets=targets, **options)
    assert planned.failed or planned.changes == done.changes
    for snapshot in done.saved:
        verify(snapshot.resources)
    verify(direct.snapshot.resources)
    return done


def test_only_the_target_is_updated_and_the_rest_is_not_even_asked(direct: Direct) -> None:
    direct.run(things(a=1, b=1, c=1))
    before = untouched(direct, "a", "b")
    done = targeted(direct, things(a=2, b=2, c=2), "c")
    assert direct.cloud.calls() == ["update c"]
    assert done.changes == {"same": 3, "update": 1}
    assert untouched(direct, "a", "b") == before
    assert direct.run(things(a=2, b=2, c=2)).changes == {"same": 2, "update": 2}


def test_a_refused_input_of_what_is_no_target_does_not_matter(direct: Direct) -> None:
    direct.run(things(a=1, c=1))
    refused = lambda p: (p.thing("a", {"value": "refused"}), p.thing("c", {"value": 2}))  # noqa: E731
    assert not targeted(direct, refused, "c").failed
    assert direct.cloud.calls() == ["update c"]


def test_dependents_come_along_only_when_asked(direct: Direct) -> None:
    direct.run(things(a=1, b=1, c=1))
    targeted(direct, things(a=2, b=2, c=2), "a")
    assert direct.cloud.calls() == ["update a"]
    targeted(direct, things(a=3, b=3, c=3), "a", dependents=True)
    assert direct.cloud.calls() == ["update a", "update b"]


def test_what_is_new_and_no_target_is_left_out(direct: Direct) -> None:
    done = targeted(direct, things(a=1, b=1, c=1), "c")
    assert direct.cloud.calls() == ["create c"]
    assert done.changes == {"create": 2}
    assert {entry.name for entry in direct.snapshot.resources if entry.type == THING} == {"c"}


def test_a_target_that_needs_what_is_left_out_is_refused_with_the_option_to_add(direct: Direct) -> None:
    program = lambda p: p.thing("b", of={"value": p.thing("a")}, after=[p.thing("c")])  # noqa: E731
    done = targeted(direct, program, "b")
    assert done.failed
    assert f"test:index:Thing 'b' depends on what is not there yet and is no target: add --target '{PREFIX}a'" in (
        done.errors
    )
    assert f"--target '{PREFIX}c'" in done.errors
    assert direct.cloud.calls() == []
    assert not targeted(direct, program, "b", "a", "c").failed


def test_what_is_removed_from_the_program_goes_only_as_a_target(direct: Direct) -> None:
    direct.run(things(a=1, c=1, e=1))
    targeted(direct, things(e=1), "a")
    assert direct.cloud.calls() == ["delete a"]
    assert direct.entry("c")
    assert direct.run(things(e=1)).changes == {"same": 2, "delete": 1}


def test_destroying_a_target_takes_its_dependents_only_when_asked(direct: Direct) -> None:
    direct.run(things(a=1, b=1, c=1))
    refused = targeted(direct, None, "a")
    assert refused.failed
    assert refused.errors == (
        "what depends on a target must be deleted with it, and is no target: add --target-dependents, or "
        "--target '**::b'"
    )
    assert direct.cloud.calls() == []
    targeted(direct, None, "a", dependents=True)
    assert direct.cloud.calls() == ["delete b", "delete a"]
    assert {entry.name for entry in direct.snapshot.resources if entry.custom and not entry.is_provider} == {"c"}


def test_children_are_dependents(direct: Direct) -> None:
    direct.run(lambda p: p.thing("child", parent=p.thing("group", type="my:index:Group", custom=False)))
    assert "add --target-dependents, or --target '**::child'" in targeted(direct, None, "group").errors
    targeted(direct, None, "group", dependents=True)
    assert direct.cloud.calls() == ["delete child"]


def test_a_child_alone_can_be_a_target(direct: Direct) -> None:
    def program(value: int) -> Any:
        def run(p: Registering) -> None:
            group = p.thing("group", {"size": value}, type="my:index:Group", custom=False)
            p.thing("child", {"value": value}, parent=group)
            p.outputs(group, {"size": value})

        return run

    direct.run(program(1))
    done = targeted(direct, program(2), "child")
    assert done.changes == {"same": 2, "update": 1}
    assert direct.entry("group").inputs == {"size": 1}


def test_what_something_untouched_still_refers_to_stays(direct: Direct) -> None:
    """`a` is removed from the program, where `b` no longer depends on it; in the state it does."""
    direct.run(things(a=1, b=1, c=1))
    done = targeted(direct, things(b=1, c=2), "c")
    assert direct.cloud.calls() == ["update c"]
    assert direct.entry("a")
    done = targeted(direct, things(b=1, c=2), "a")
    assert direct.cloud.calls() == []
    assert "test:index:Thing 'a' stays: what is no target depends on it" in [m.text for m in done.messages]
    assert direct.run(things(b=1, c=2)).changes == {"same": 3, "delete": 1}


def test_what_is_untouched_may_refer_to_what_comes_later_in_the_program(direct: Direct) -> None:
    direct.run(things(a=1, b=1))
    turned = lambda p: (p.thing("b", {"value": 1}), p.thing("a", {"value": 2}))  # noqa: E731
    assert not targeted(direct, turned, "a").failed
    assert [entry.name for entry in direct.snapshot.resources if entry.type == THING] == ["a", "b"]


def test_dependencies_turned_round_need_both_as_targets(direct: Direct) -> None:
    direct.run(things(a=1, b=1))
    turned = lambda p: p.thing("a", {"value": 2}, after=[p.thing("b", {"value": 1})])  # noqa: E731
    refused = targeted(direct, turned, "a")
    assert "'a' depends on a resource that is no target and depends on it in the state" in refused.errors
    assert not targeted(direct, turned, "a", "b").failed


def test_an_export_of_what_is_left_out_keeps_its_old_value(direct: Direct) -> None:
    def changed(p: Registering) -> None:
        p.thing("c")
        p.outputs(p.stack, {"x": p.value(p.thing("new")), "y": 2})

    direct.run(lambda p: p.outputs(p.stack, {"x": 1}))
    targeted(direct, changed, "c")
    assert direct.snapshot.stack_outputs == {"x": 1, "y": 2}


def test_a_replaced_target_is_deleted_though_what_is_untouched_depends_on_it(direct: Direct) -> None:
    def program(kind: str) -> Any:
        return lambda p: p.thing("b", of={"value": p.thing("a", {"kind": kind})})

    direct.run(program("x"))
    targeted(direct, program("y"), "a")
    assert direct.cloud.calls() == ["create a", "delete a"]
    assert set(direct.cloud.things()) == {direct.entry("a").id, direct.entry("b").id}


def test_delete_before_replace_takes_what_is_no_target_along(direct: Direct) -> None:
    def program(kind: str) -> Any:
        return lambda p: p.thing("b", of={"kind": p.thing("a", {"kind": kind, "dbr": True})})

    direct.run(program("x"))
    targeted(direct, program("y"), "a")
    assert direct.cloud.calls() == ["delete b", "delete a", "create a", "create b"]


@pytest.mark.parametrize("program", [things(a=1), None])
def test_a_urn_that_nothing_has_is_an_error(direct: Direct, program: Any) -> None:
    direct.run(things(a=1))
    failed = direct.run(program, targets=(PREFIX + "ghost",))
    assert f"--target {PREFIX}ghost: the stack has no such resource. Write a URN, or" in failed.errors
    assert direct.cloud.calls() == []


def test_a_pattern_that_nothing_matches_is_told(direct: Direct) -> None:
    direct.run(things(a=1))
    done = direct.run(things(a=2), targets=("**::ghost",))
    assert not done.failed
    assert direct.cloud.calls() == []
    assert done.messages[0].text.startswith("--target **::ghost: no resource of the stack matches")


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        (PREFIX + "a", True),
        (PREFIX + "*", True),
        ("**::a", True),
        ("**", True),
        ("urn:pulumi:*::p::*:*:*::a", True),
        ("*::a", False),  # a single star stops at a colon
        ("**::A", False),
        ("**Thing", False),
        ("urn.pulumi**", False),  # a dot is a dot
    ],
)
def test_patterns_are_the_official_ones(pattern: str, matches: bool) -> None:
    assert Selection((pattern,)).matches(PREFIX + "a") == matches


def test_entries_are_put_in_order_only_where_they_have_to_be() -> None:
    def entry(name: str, *dependencies: str) -> ResourceState:
        return ResourceState(urn=name, type="t", custom=True, dependencies=dependencies)

    a, b, c, d = entry("a"), entry("b", "c"), entry("c", "d"), entry("d")
    assert in_order([a, b, c, d]) == (a, d, c, b)
    assert in_order([d, c, b, a]) == (d, c, b, a)
    twin = ResourceState(urn="d", type="t", custom=True, delete=True, dependencies=("b",))
    assert in_order([b, twin, c, d]) == (d, c, b, twin)
