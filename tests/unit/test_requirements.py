"""docs/requirements.md names tests that exist, and has nothing without one or a reason."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith("| Section |")]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)))


@cache
def functions(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_named_test_exists(file: str, name: str) -> None:
    assert name in functions(file)


@pytest.mark.parametrize("row", ROWS)
def test_a_requirement_has_a_test_or_a_reason(row: str) -> None:
    shown = row.split("|")[-2].strip()
    assert re.fullmatch(r"`tests/[\w/]+\.py::\w+`(<br>`tests/[\w/]+\.py::\w+`)*", shown) or shown.startswith(
        ("out of scope: ", "to come with ")
    ), shown


def test_every_application_has_its_part() -> None:
    parts = re.findall(r"^## (\w+):", TEXT, re.MULTILINE)
    folders = [path.parent.name for path in (ROOT / "applications").glob("*/application.yaml")]
    assert sorted(part.lower() for part in parts) == sorted(folders)
