"""`--target` and `--target-dependents`: which resources a run is about, by URN or by a pattern of one.

The rules are those of UrnTargets (pkg/resource/deploy/deployment.go in pulumi/pulumi).
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

from engine.state import ResourceState


@dataclass(frozen=True)
class Selection:
    """Without patterns, everything. In a pattern `**` stands for anything, and `*` for anything without a colon."""

    patterns: tuple[str, ...] = ()
    dependents: bool = False

    def __bool__(self) -> bool:
        """Whether the run is limited at all."""
        return bool(self.patterns)

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        return re.compile("|".join(map(_regular, self.patterns)))

    def matches(self, urn: str) -> bool:
        return not self.patterns or self._expression.fullmatch(urn) is not None

    def among(self, entries: Iterable[ResourceState]) -> set[str]:
        """The URNs that are selected, those of dependents with the option. `entries` in the order of the state."""
        entries = list(entries)
        matched = {entry.urn for entry in entries if self.matches(entry.urn)}
        return with_dependents(matched, entries) if self.dependents else matched

    def unknown(self, urns: Collection[str]) -> list[str]:
        """What was given as a URN, and is none of these."""
        return [text for text in self.patterns if "*" not in text and text not in urns]

    def unmatched(self, urns: Collection[str]) -> list[str]:
        """The patterns that none of these matches."""
        patterns = [text for text in self.patterns if "*" in text]
        return [text for text in patterns if not any(map(re.compile(_regular(text)).fullmatch, urns))]


def with_dependents(urns: Iterable[str], entries: Iterable[ResourceState]) -> set[str]:
    """The URNs and everything that depends on them, children included. `entries` in the order of the state."""
    reached = set(urns)
    for entry in entries:
        if not reached.isdisjoint(entry.all_dependencies()):
            reached.add(entry.urn)
    return reached


def _regular(pattern: str) -> str:
    parts = [re.escape(part) for part in re.split(r"(\*\*|\*)", pattern)]
    return "".join({r"\*\*": ".*", r"\*": "[^:]*"}.get(part, part) for part in parts)
