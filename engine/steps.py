"""The steps of a run since its last whole save, one line each, beside the stack file: `<stack>.json.steps`.

Saving a large state whole at every step would take longer than the steps do. A line is written and synced before and
after each provider call instead, and the whole file now and then. Whoever opens the stack takes both together. The
official CLI knows the whole file only; `fold` brings it up to date.

The first line names the file that the others continue, by its SHA-256: after any other save they mean nothing. A line
that a crash has cut off is no step. Entries are as in the stack file, so that no secret need be opened to replay them.
"""

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from engine.files import replace_file
from engine.integrity import StateError


class StepsError(StateError):
    """A log of steps that was edited or damaged, not just cut off."""


def log_of(stack_file: Path) -> Path:
    return stack_file.with_name(stack_file.name + ".steps")


def load(stack_file: Path) -> Any:
    """The document of a stack file with the steps that were logged after it. Raises OSError, ValueError, StepsError."""
    while True:
        content = stack_file.read_bytes()
        document = json.loads(content)
        header, *steps = _read(log_of(stack_file)) or [{}]
        if not isinstance(header, dict):
            raise _unexpected(stack_file, header)
        if header.get("base") == sha256(content).hexdigest():
            try:
                return _replayed(document, header, steps)
            except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
                raise _unexpected(stack_file, error) from error
        if not header or stack_file.read_bytes() == content:  # else it was saved while we looked
            return document


def fold(stack_file: Path, backup: Path) -> bool:
    """Writes the logged steps into the stack file, for who knows that only; whether there were any.

    To be used under the stack's lock. Raises OSError, ValueError, StepsError.
    """
    log = log_of(stack_file)
    if not log.exists() or not stack_file.exists():
        return False
    document = load(stack_file)
    changed = bool(document != json.loads(stack_file.read_bytes()))
    if changed:
        replace_file(
            stack_file, (json.dumps(document, separators=(",", ":"), ensure_ascii=False) + "\n").encode(), backup=backup
        )
    log.unlink(missing_ok=True)
    return changed


def _unexpected(stack_file: Path, found: object) -> StepsError:
    return StepsError(f"{log_of(stack_file)}, which continues it, has an unexpected form: {found!r:.100}")


def _read(log: Path) -> list[Any]:
    """The whole lines of a log; nothing if there is none."""
    try:
        lines = log.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    try:
        return [json.loads(line) for line in lines[:-1]]
    except ValueError:
        return []


def _replayed(document: Any, header: dict[str, Any], steps: Iterable[Any]) -> Any:
    latest = document["checkpoint"]["latest"]
    resources, pending = latest.get("resources") or [], latest.get("pending_operations") or []
    count, numbers, begun = header["finished"], header["older"], header["begun"]
    finished = {entry["urn"]: entry for entry in resources[:count]}
    older = dict(zip(numbers, resources[count:], strict=True))
    left = pending[: len(pending) - len(begun)]
    under_way = dict(zip(begun, pending[len(left) :], strict=True))
    for change in (change for step in steps for change in step):
        match change:
            case {"put": entry}:
                finished[entry["urn"]] = entry
            case {"old": number, "entry": None}:
                older.pop(number, None)
            case {"old": number, "entry": entry}:
                older[number] = entry
            case {"begun": number, "operation": operation}:
                under_way[number] = operation
            case {"ended": number}:
                under_way.pop(number, None)
            case {"settled": urn}:
                left = [operation for operation in left if operation["resource"]["urn"] != urn]
    latest["resources"] = [*finished.values(), *older.values()]
    latest["pending_operations"] = [*_not_begun_again(left, under_way.values()), *under_way.values()]
    if any(entry.get("replaceWith") for entry in latest["resources"]):
        document |= {"version": 4, "features": ["replaceWith"]}
    return document


def _not_begun_again(left: Iterable[Any], under_way: Iterable[Any]) -> Iterator[Any]:
    again = {item["resource"]["urn"] for item in under_way if item["type"] == "creating"}
    return (item for item in left if item["resource"]["urn"] not in again)
