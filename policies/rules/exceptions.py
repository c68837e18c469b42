"""Exceptions are data: what a rule refuses, and somebody has decided to have, for a reason and for a time."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import yaml

FILE: Final = Path(__file__).parents[1] / "exceptions.yaml"


class ExceptionsError(Exception):
    """The file cannot be used. The text names the entry, what is wrong, and what to write."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One entry of exceptions.yaml."""

    rule: str
    resources: str  # pattern of logical names
    reason: str
    owner: str  # a role, not a person
    expires: date  # the last day on which it holds

    def holds(self, today: date) -> bool:
        return self.expires >= today

    def excuses(self, rule: str, resource: str) -> bool:
        return rule == self.rule and fnmatchcase(resource, self.resources)


def load(rules: Iterable[str], file: Path = FILE) -> tuple[Recorded, ...]:
    """All entries, expired ones too. `rules` are the names that there are. Raises ExceptionsError."""
    try:
        entries = yaml.safe_load(file.read_text(encoding="utf-8")) or []
    except (OSError, yaml.YAMLError) as error:
        raise ExceptionsError(f"{file.name} cannot be read: {error}") from None
    if not isinstance(entries, list):
        raise ExceptionsError(f"{file.name}: write a list, each entry `- rule: …`")
    known = frozenset(rules)
    return tuple(_entry(entry, f"{file.name}: entry {number}", known) for number, entry in enumerate(entries, 1))


def active(entries: Iterable[Recorded], today: date) -> tuple[Recorded, ...]:
    """Those that hold today. What an expired one excused is refused again."""
    return tuple(entry for entry in entries if entry.holds(today))


def _entry(entry: Any, where: str, rules: frozenset[str]) -> Recorded:
    names = [field.name for field in fields(Recorded)]
    if not isinstance(entry, dict) or set(entry) != set(names):
        raise ExceptionsError(f"{where}: needs exactly {', '.join(names)}")
    if wrong := [name for name in names[:-1] if not isinstance(entry[name], str) or not entry[name].strip()]:
        raise ExceptionsError(f"{where}: {wrong[0]} must be a text")
    if entry["rule"] not in rules:
        raise ExceptionsError(f"{where}: there is no rule {entry['rule']}. There are: {', '.join(sorted(rules))}")
    if re.fullmatch(r"[*?]*", entry["resources"]):
        raise ExceptionsError(f"{where}: resources {entry['resources']!r} would end the rule: name what is excused")
    if type(entry["expires"]) is not date:
        raise ExceptionsError(f"{where}: expires must be a day, such as 2027-06-30")
    return Recorded(**entry)
