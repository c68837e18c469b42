"""Who takes a stack over plans nothing, whichever of the two wrote it."""

import pytest

from tests.engine.takeover.conftest import ENGINES, Shared

pytestmark = [pytest.mark.official, pytest.mark.docker]

# `up` of one, and the other has nothing to do: not even with a refresh, which reads everything anew.
DIRECTIONS = [("embedded", "official"), ("official", "embedded")]


@pytest.mark.parametrize(("first", "second"), DIRECTIONS)
def test_nothing_is_planned_by_who_takes_over(shared: Shared, first: str, second: str) -> None:
    giver, taker = ENGINES[first], ENGINES[second]
    giver.run(shared, "up")
    for command, options in (
        ("preview", ["--expect-no-changes"]),
        ("preview", ["--expect-no-changes", "--refresh"]),
        ("up", ["--expect-no-changes"]),
        ("refresh", []),
        ("preview", ["--expect-no-changes"]),
    ):
        assert taker.run(shared, command, *options) == {}, f"{command} {' '.join(options)}"
    assert giver.run(shared, "preview", "--expect-no-changes", "--refresh") == {}, "given back"
    taker.run(shared, "destroy")


@pytest.mark.parametrize("dependents", [False, True])
def test_both_plan_the_same_for_a_target(shared: Shared, dependents: bool) -> None:
    """A container that another resource goes with, whose change is a replacement."""
    official, embedded = ENGINES["official"], ENGINES["embedded"]
    embedded.run(shared, "up")
    shared.step = 2
    target = ["--target", "urn:pulumi:dev::takeover::docker:index/container:Container::container"]
    options = [*target, *(["--target-dependents"] if dependents else [])]
    planned = [engine.run(shared, "preview", *options) for engine in (official, embedded)]
    assert planned[0] == planned[1]
    assert "container" in planned[0]
    embedded.run(shared, "destroy")


@pytest.mark.parametrize(("first", "second"), DIRECTIONS)
def test_both_plan_the_same_change_on_a_stack_of_the_other(shared: Shared, first: str, second: str) -> None:
    giver, taker = ENGINES[first], ENGINES[second]
    giver.run(shared, "up")
    shared.step = 2
    planned = {engine.name: engine.run(shared, "preview") for engine in (giver, taker)}
    assert planned[first] == planned[second] != {}
    taker.run(shared, "up")
    assert giver.run(shared, "preview", "--expect-no-changes") == {}
    giver.run(shared, "destroy")
