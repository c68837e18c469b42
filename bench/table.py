"""Rows with their goals, as a table for people and as JSON for everybody else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bench.measure import Series

Mark = Literal["met", "MISSED", ""]


@dataclass(frozen=True, kw_only=True)
class Goal:
    """`limit` holds for the ratio of the medians, or for our own median where there is nobody to compare with."""

    limit: float
    direction: Literal["at most", "less than", "at least"]
    of: Literal["ratio", "value"]

    def met_by(self, value: float) -> bool:
        if self.direction == "at least":
            return value >= self.limit
        return value < self.limit if self.direction == "less than" else value <= self.limit


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line: ours, against `theirs` if somebody else was measured in the same rounds."""

    name: str
    unit: str
    ours: Series
    theirs: Series | None = None
    goal: Goal | None = None  # None: a figure that explains another one

    @property
    def ratio(self) -> float | None:
        """Our median as a multiple of theirs. Whether more is better depends on the unit, and the goal says so."""
        return self.ours.median / self.theirs.median if self.theirs and self.theirs.median else None

    @property
    def mark(self) -> Mark:
        """Judges the figures as they are printed: more decimals are noise."""
        value = self.ratio if self.goal and self.goal.of == "ratio" else self.ours.median
        if self.goal is None or value is None:
            return ""
        return "met" if self.goal.met_by(round(value, 2)) else "MISSED"


HEAD = ("", "ours", "theirs", "ratio", "goal", "")
_SIGNS = {"at most": "<=", "less than": "<", "at least": ">="}


def render(rows: Sequence[Row]) -> str:
    """The table: medians, with the least and the most in brackets."""
    lines = [HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([text[0], "-" * max(map(len, text)), *text[1:]])


def verdict(rows: Iterable[Row]) -> str:
    """One line: all goals are met, or which are not."""
    judged = [row for row in rows if row.mark]
    missed = [row.name for row in judged if row.mark == "MISSED"]
    if missed:
        return f"{len(missed)} of {len(judged)} goals MISSED: {'; '.join(missed)}"
    return f"all {len(judged)} goals met" if judged else "nothing was measured that has a goal"


def document(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The rows as JSON's values, every round included."""
    return [
        {
            "name": row.name,
            "unit": row.unit,
            "ours": _series(row.ours),
            "theirs": _series(row.theirs) if row.theirs else None,
            "ratio": row.ratio,
            "goal": {"limit": row.goal.limit, "direction": row.goal.direction, "of": row.goal.of} if row.goal else None,
            "met": {"met": True, "MISSED": False, "": None}[row.mark],
        }
        for row in rows
    ]


def _cells(row: Row) -> tuple[str, ...]:
    theirs = _figures(row.theirs, row.unit) if row.theirs else ""
    ratio = f"{row.ratio:.2f}x" if row.ratio is not None else ""
    return (row.name, _figures(row.ours, row.unit), theirs, ratio, _goal(row), row.mark)


def _figures(series: Series, unit: str) -> str:
    return f"{_number(series.median)} {unit} ({_number(series.least)}-{_number(series.most)})"


def _goal(row: Row) -> str:
    if row.goal is None:
        return ""
    unit = "x" if row.goal.of == "ratio" else f" {row.unit}"
    return f"{_SIGNS[row.goal.direction]} {row.goal.limit:g}{unit}"


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def _series(series: Series) -> dict[str, Any]:
    figures = {"median": series.median, "least": series.least, "most": series.most}
    return {**figures, "values": list(series.values)}
