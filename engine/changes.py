"""What changed, as lines: outputs as an indented tree, like the official CLI's, and inputs by their paths."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from engine.differences import Difference
from engine.values import MASK, UNKNOWN, Secret

_WIDTH: Final = 100  # columns; a longer value is cut, and `api.outputs` has it in full


def lines(before: Mapping[str, Any], after: Mapping[str, Any], indent: str = "  ") -> Iterator[str]:
    """One line for each value that was added (+), removed (-) or changed (~); those inside a changed object below it.

    Secrets are shown as [secret], what a preview cannot know as [unknown].
    """
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if name not in after:
            yield _cut(f"{indent}- {name}: {_brief(old)}")
        elif name not in before:
            yield _cut(f"{indent}+ {name}: {_brief(new)}")
        elif old == new:
            continue
        elif isinstance(old, Mapping) and isinstance(new, Mapping):
            yield f"{indent}~ {name}: {{"
            yield from lines(old, new, indent + "    ")
            yield f"{indent}  }}"
        else:
            yield _cut(f"{indent}~ {name}: {_brief(old)} => {_brief(new)}")


def places(differences: Iterable[Difference], indent: str = "      ") -> Iterator[str]:
    """One line for each place of a resource that changes, by its property path."""
    for difference in differences:
        if difference.kind == "add":
            yield _cut(f"{indent}+ {difference.path}: {_brief(difference.new)}")
        elif difference.kind == "delete":
            yield _cut(f"{indent}- {difference.path}: {_brief(difference.old)}")
        else:
            yield _cut(f"{indent}~ {difference.path}: {_brief(difference.old)} => {_brief(difference.new)}")


def _brief(value: Any) -> str:
    """On one line."""
    if isinstance(value, Secret):
        return MASK
    if value is UNKNOWN:
        return "[unknown]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_brief(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_brief, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"
