"""The annotation pulumi.com/waitFor: what an object is waited for instead of what its kind is."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from engine.providers.base import ProviderError
from engine.providers.kubernetes.ownership import annotation
from engine.providers.kubernetes.readiness import Readiness, Waiting

WAIT_FOR = "pulumi.com/waitFor"
_STEP = re.compile(r"""\.([A-Za-z0-9_-]+)|\[(\d+)\]|\[\*\]|\[['"]([^'"]+)['"]\]""")
_PATH = re.compile(r"\{?(?P<path>[.\[][^{}=]*)\}?(?:==?(?P<value>.*))?", re.DOTALL)

Live = Mapping[str, Any]


def wait_for(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """The conditions of the annotation, all of which must hold. Raises ProviderError for what is none."""
    text = annotation(manifest, WAIT_FOR)
    if not text:
        return ()
    try:
        values = json.loads(text)
    except ValueError:
        values = text
    conditions = tuple(values) if isinstance(values, list) and values else (text,)
    for condition in conditions:
        if not isinstance(condition, str) or not _is_condition(condition):
            raise ProviderError(
                f"annotation {WAIT_FOR}: {condition!r} is no condition. Write `condition=Ready`, "
                "`condition=Ready=False`, `jsonpath={.status.phase}=Bound` or `jsonpath={.status.phase}`, or a JSON "
                "list of those"
            )
    return conditions


def met(live: Live, conditions: tuple[str, ...]) -> Readiness:
    missing = [condition for condition in conditions if not _holds(live, condition)]
    return Waiting(f"it has not {' and '.join(missing)}") if missing else None


def _is_condition(text: str) -> bool:
    kind, equals, rest = text.partition("=")
    if kind == "condition":
        return bool(rest)
    match = _PATH.fullmatch(rest)
    return kind == "jsonpath" and bool(equals and match) and bool(_steps(match["path"] if match else ""))


def _holds(live: Live, text: str) -> bool:
    kind, _, rest = text.partition("=")
    if kind == "condition":
        type, _, value = rest.partition("=")
        conditions = live.get("status", {}).get("conditions") or ()
        status = next((each.get("status", "") for each in conditions if each["type"].lower() == type.lower()), None)
        return status is not None and status.lower() == (value or "True").lower()
    match = _PATH.fullmatch(rest)
    assert match is not None  # it was looked at before
    found = list(_values(live, _steps(match["path"])))
    if match["value"] is None:
        return any(value is not None for value in found)
    return any(_text(value) == match["value"].strip("'\"") for value in found)


def _steps(path: str) -> list[str | int | None]:
    """Keys, indexes, and None for all elements; empty for what is no path."""
    steps: list[str | int | None] = []
    position = 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            return []
        key, index, quoted = match.groups()
        steps.append(key if key is not None else int(index) if index is not None else quoted)
        position = match.end()
    return steps


def _values(node: Any, steps: list[str | int | None]) -> Iterator[Any]:
    if not steps:
        yield node
        return
    step, rest = steps[0], steps[1:]
    if step is None:
        for item in node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ():
            yield from _values(item, rest)
    elif step in (range(len(node)) if isinstance(node, list) else node if isinstance(node, Mapping) else ()):
        yield from _values(node[step], rest)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
