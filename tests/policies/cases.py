"""The cases of `cases.yaml`: for every rule what it refuses and what it lets pass."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from policies.rules import tokens

_DOCUMENT = yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text())
_TYPES = {
    "postgres": tokens.CONTAINER,
    "redis": tokens.CONTAINER,
    "volume": tokens.VOLUME,
    "image": tokens.REMOTE_IMAGE,
}

POSTGRES: Mapping[str, Any] = _DOCUMENT["bases"]["postgres"]
REDIS: Mapping[str, Any] = _DOCUMENT["bases"]["redis"]


@dataclass(frozen=True, eq=False)
class Case:
    rule: str
    title: str
    type: str
    inputs: Mapping[str, Any]
    violates: bool = False
    says: tuple[str, ...] = ()  # what the messages of a violation must contain
    protect: bool = False

    def __str__(self) -> str:
        return f"{self.rule}: {self.title}"


def _read() -> Iterator[Case]:
    for rule, cases in _DOCUMENT["rules"].items():
        for outcome in ("passes", "violates"):
            for case in cases.get(outcome, ()):
                yield Case(
                    rule=rule,
                    title=case["title"],
                    type=_TYPES[case["base"]],
                    inputs={**_DOCUMENT["bases"][case["base"]], **case.get("change", {})},
                    violates=outcome == "violates",
                    says=tuple(case.get("says", ())),
                    protect=case.get("protect", False),
                )


CASES = tuple(_read())
