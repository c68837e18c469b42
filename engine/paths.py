"""Property paths as in ignoreChanges and replaceOnChanges: `a.b`, `list[0]`, `map["a.b"]`, `list[*].c`, `*`."""

import re
from collections.abc import Sequence
from typing import Any, Final

from engine.values import Secret

Path = tuple[str | int, ...]  # "*" matches any key or index

_PART: Final = re.compile(r'\.?([^.\[\]"]+)|\[(\d+)\]|\[\*\]|\["((?:[^"\\]|\\.)*)"\]')


def parse(text: str) -> Path:
    """Raises ValueError for what is not a path."""
    parts: list[str | int] = []
    position = 0
    while position < len(text):
        match = _PART.match(text, position)
        if match is None:
            raise ValueError(f"{text!r} is not a property path (at {text[position:]!r})")
        name, index, quoted = match.groups()
        if name is not None:
            parts.append(name)
        elif index is not None:
            parts.append(int(index))
        else:
            parts.append("*" if quoted is None else quoted.replace('\\"', '"'))
        position = match.end()
    return tuple(parts)


def covers(pattern: Path, path: Path) -> bool:
    """Whether `path` is what the pattern names, or inside it."""
    return len(pattern) <= len(path) and all(want in ("*", have) for want, have in zip(pattern, path, strict=False))


def reset(path: Path, old: Any, new: Any) -> bool:
    """Put the old value back at the path, in place. False where the path exists on one side only (as Pulumi does)."""
    old, new = _open(old), _open(new)
    head, rest = path[0], path[1:]
    if head == "*":
        keys = _keys(old)
        results = [reset((key, *rest), old, new) for key in keys]  # each of them, also after one failed
        return keys == _keys(new) and all(results)
    if not rest:
        if _has(old, head):
            if isinstance(new, dict) or _has(new, head):
                new[head] = old[head]
                return True
            return False
        if isinstance(new, dict):
            new.pop(head, None)
            return True
        return not _has(new, head)
    if not _has(old, head) or not _has(new, head):
        return _has(old, head) == _has(new, head)
    return reset(rest, old[head], new[head])


def _open(value: Any) -> Any:
    return value.value if isinstance(value, Secret) else value


def _keys(value: Any) -> Sequence[str | int]:
    if isinstance(value, dict):
        return sorted(value)
    return range(len(value)) if isinstance(value, list) else ()


def _has(value: Any, key: str | int) -> bool:
    if isinstance(value, dict):
        return key in value
    return isinstance(value, list) and isinstance(key, int) and key < len(value)
