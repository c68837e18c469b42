"""Where two sets of properties differ: property paths as Pulumi writes them, such as `ports[0].external`."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from engine.values import Properties, Secret, rewrite, unwrap

DifferenceKind = Literal["add", "delete", "update"]
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*")
_NOTES: Final = "__defaults"  # which of the values beside it the provider chose; says nothing to a reader
_ABSENT: Final = object()


@dataclass(frozen=True)
class Difference:
    """One place. Values are as in the properties: `Secret` and `UNKNOWN` inside; None where there is none."""

    path: str
    kind: DifferenceKind
    old: Any = None
    new: Any = None

    @property
    def root(self) -> str:
        """The top-level property."""
        return re.split(r"[.\[]", self.path, maxsplit=1)[0]


def differences(old: Properties, new: Properties) -> list[Difference]:
    """The deepest places that differ, in the order of their names. Whether a value is secret is no difference."""
    return list(_mapping(old, new, ""))


def _compare(old: Any, new: Any, path: str) -> Iterator[Difference]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _mapping(old, new, path)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            before, after = (values[index] if index < len(values) else _ABSENT for values in (old, new))
            yield from _compare(before, after, f"{path}[{index}]")
    elif old is _ABSENT:
        yield Difference(path, "add", new=_without_notes(new))
    elif new is _ABSENT:
        yield Difference(path, "delete", old=_without_notes(old))
    elif unwrap(old) != unwrap(new):
        # What one side of a change keeps secret, the other must not show.
        secret = isinstance(old, Secret) or isinstance(new, Secret)
        yield Difference(path, "update", *(Secret(unwrap(value)) if secret else value for value in (old, new)))


def _without_notes(value: Any) -> Any:
    def without(node: Any) -> Any:
        return {key: item for key, item in node.items() if key != _NOTES} if isinstance(node, dict) else node

    return rewrite(value, without)


def _mapping(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Difference]:
    for key in sorted({*old, *new} - {_NOTES}):
        step = key if _PLAIN.fullmatch(key) else f"[{json.dumps(key, ensure_ascii=False)}]"
        deeper = f"{path}.{step}" if path and not step.startswith("[") else f"{path}{step}"
        yield from _compare(old.get(key, _ABSENT), new.get(key, _ABSENT), deeper)
