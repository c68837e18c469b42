"""What is said to wait for what, and what is shown where not all has room."""

import time
from typing import Any

from engine.events import Op, Step
from engine.state import ResourceState
from engine.tracker import Tracker
from tests.engine.states import ROOT


def step(op: Op, name: str, *needs: str, parent: str = ROOT, phase: Any = "done") -> Step:
    urn = f"urn:{name}"
    state = ResourceState(
        urn=urn, type="t:t:T", custom=True, parent=parent, dependencies=tuple(map("urn:{}".format, needs))
    )
    return Step(op=op, phase=phase, urn=urn, type="t:t:T", name=name, new=state)


STACK = Step(
    op="create",
    phase="done",
    urn=ROOT,
    type="pulumi:pulumi:Stack",
    name="s",
    new=ResourceState(urn=ROOT, type="pulumi:pulumi:Stack", custom=False),
)


def lines(tracker: Tracker, limit: int = 100) -> list[str]:
    shown = []
    for row in tracker.rows(limit)[0]:
        state = "" if row.node is None else " goes on" if row.node.begun is not None else " waits"
        waits = f" for {', '.join(row.waits_for)}" if row.waits_for else ""
        shown.append("  " * (len(row.lasts) - 1) + row.step.name + state + waits)
    return shown


def test_what_can_begin_waits_for_nothing_and_the_rest_names_what_comes_first() -> None:
    tracker = Tracker(
        [step("create", "a"), step("update", "b", "a"), step("same", "old"), step("create", "c", "a", "b", "old")]
    )
    tracker.note(step("create", "a", phase="start"), 1.0)
    assert lines(tracker) == ["a goes on", "b waits for a", "c waits for a, b"]
    tracker.note(step("create", "a", phase="done"), 2.0)
    tracker.note(step("update", "b", "a", phase="start"), 2.0)
    assert lines(tracker) == ["b goes on", "c waits for b"]
    assert (tracker.finished, tracker.total) == (1, 3)


def test_children_stand_below_their_parents_and_parents_go_with_them() -> None:
    plan = [STACK, step("create", "box"), step("create", "a", parent="urn:box"), step("create", "b", parent="urn:box")]
    tracker = Tracker([*plan, step("create", "c")])
    for done in (STACK, step("create", "box")):
        tracker.note(done, 1.0)
    assert lines(tracker) == ["box", "  a waits", "  b waits", "c waits"]
    tracker.note(step("create", "a"), 1.0)
    tracker.note(step("create", "b"), 1.0)
    assert lines(tracker) == ["c waits"]


def test_where_not_all_has_room_what_goes_on_comes_first() -> None:
    tracker = Tracker([step("create", name, *needs) for name, needs in (("a", ()), ("b", "a"), ("c", "b"), ("d", ()))])
    tracker.note(step("create", "d", phase="start"), 1.0)
    rows, hidden = tracker.rows(2)
    assert [row.step.name for row in rows] == ["a", "d"]
    assert hidden == 2


def test_a_removal_waits_for_what_depends_on_it() -> None:
    tracker = Tracker([step("delete", "a"), step("delete", "b", "a"), step("delete", "c", "b", "a")])
    assert lines(tracker) == ["a waits for b, c", "b waits for c", "c waits"]
    tracker.note(step("delete", "c"), 1.0)
    assert lines(tracker) == ["a waits for b", "b waits"]


def test_what_the_program_no_longer_wants_goes_at_the_end() -> None:
    tracker = Tracker([step("create", "a"), step("create", "b"), step("create", "c"), step("delete", "old")])
    assert lines(tracker)[-1] == "old waits for a, b, others"


def test_a_replacement_that_came_to_be_something_else_is_over() -> None:
    tracker = Tracker([step("update", "a"), step("create-replacement", "b"), step("create", "c", "a", "b")])
    tracker.note(step("same", "a"), 1.0)
    tracker.note(step("update", "b"), 1.0)
    assert lines(tracker) == ["c waits"]


def test_a_thousand_resources_are_no_burden() -> None:
    names = [str(number) for number in range(1000)]
    tracker = Tracker([step("create", name, *names[max(0, index - 5) : index]) for index, name in enumerate(names)])
    begun = time.process_time()
    for _ in range(8):  # as often as in a second
        tracker.rows(30)
    assert time.process_time() - begun < 0.5
