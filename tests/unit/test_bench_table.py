"""The table says honestly which goals are met."""

import json

import pytest

from bench.measure import Series
from bench.table import Goal, Row, document, render, verdict

FASTER = Goal(limit=1.2, direction="at least", of="ratio")
SHORTER = Goal(limit=1.0, direction="at most", of="ratio")
SMALL = Goal(limit=200, direction="less than", of="value")


def row(ours: float, theirs: float | None, goal: Goal | None, name: str = "pgbench") -> Row:
    others = Series((theirs,)) if theirs is not None else None
    return Row(name=name, unit="tps", ours=Series((ours,)), theirs=others, goal=goal)


@pytest.mark.parametrize(
    ("ours", "theirs", "goal", "mark"),
    [
        (120, 100, FASTER, "met"),
        (119, 100, FASTER, "MISSED"),
        (1.0, 1.0, SHORTER, "met"),
        (1.01, 1.0, SHORTER, "MISSED"),
        (1.004, 1.0, SHORTER, "met"),  # printed as 1.00x
        (199, None, SMALL, "met"),
        (200, None, SMALL, "MISSED"),
        (199, 1, SMALL, "met"),  # what others need is shown, and is not the goal
        (1.0, None, SHORTER, ""),  # nobody to compare with
        (1.0, 1.0, None, ""),
    ],
)
def test_a_goal_is_met_or_missed(ours: float, theirs: float | None, goal: Goal | None, mark: str) -> None:
    assert row(ours, theirs, goal).mark == mark


def test_the_ratio_is_that_of_the_medians() -> None:
    assert Row(name="", unit="", ours=Series((1, 6, 50)), theirs=Series((1, 2, 3))).ratio == 3.0


def test_the_table_shows_medians_limits_goals_and_marks() -> None:
    slow = Row(name="cold", unit="s", ours=Series((4.0, 3.5, 9.0)), theirs=Series((2.0,)), goal=SHORTER)
    lines = render([slow, row(150, None, SMALL, "memory")]).splitlines()
    assert lines[2].split() == [
        "cold",
        "4.00",
        "s",
        "(3.50-9.00)",
        "2.00",
        "s",
        "(2.00-2.00)",
        "2.00x",
        "<=",
        "1x",
        "MISSED",
    ]
    assert lines[3].split() == ["memory", "150", "tps", "(150-150)", "<", "200", "tps", "met"]


def test_the_verdict_names_what_was_missed() -> None:
    rows = [row(1, 1, FASTER, "pgbench"), row(1, 1, SHORTER, "cold"), row(1, 1, None, "note")]
    assert verdict(rows) == "1 of 2 goals MISSED: pgbench"
    assert verdict(rows[1:]) == "all 1 goals met"
    assert "nothing" in verdict(rows[2:])


def test_the_document_has_every_round_and_is_json() -> None:
    (entry,) = json.loads(json.dumps(document([row(1, 1, FASTER)])))
    assert entry["ours"]["values"] == [1]
    assert entry["met"] is False
    assert entry["goal"] == {"limit": 1.2, "direction": "at least", "of": "ratio"}
