"""The cases of `cases.yaml`: for every rule what it refuses and what it lets pass."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from policies.rules import tokens
from tests.policies.harness import Example

_DOCUMENT = yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text())
_BASES: Mapping[str, Mapping[str, Any]] = _DOCUMENT["bases"]
_TYPES = {  # every other base is a container
    "volume": tokens.VOLUME,
    "image": tokens.REMOTE_IMAGE,
    "bucket": tokens.BUCKET,
    "public_bucket": tokens.PUBLIC_BUCKET,
    "role": tokens.ROLE,
    "collection": tokens.COLLECTION,
    "database": tokens.DATABASE,
    "redis_user": tokens.REDIS_USER,
    "password": tokens.RANDOM_PASSWORD,
}

POSTGRES = _BASES["postgres"]
REDIS = _BASES["redis"]


@dataclass(frozen=True, eq=False)
class Case:
    rule: str
    title: str
    examples: tuple[Example, ...]
    violates: bool
    says: tuple[str, ...] = ()  # what the messages of a violation must contain

    def __str__(self) -> str:
        return f"{self.rule}: {self.title}"


def container(inputs: Mapping[str, Any]) -> Example:
    return Example(tokens.CONTAINER, "example", inputs)


def _read() -> Iterator[Case]:
    for rule, cases in _DOCUMENT["rules"].items():
        for outcome in ("passes", "violates"):
            for case in cases.get(outcome, ()):
                yield Case(rule, case["title"], _examples(case), outcome == "violates", tuple(case.get("says", ())))


def _examples(case: Mapping[str, Any]) -> tuple[Example, ...]:
    inputs = {**_BASES[case["base"]], **case.get("change", {})}
    type_ = _TYPES.get(case["base"], tokens.CONTAINER)
    if "beside" in case:
        return Example(type_, "another", inputs), Example(type_, "example", {**inputs, **case["beside"]})
    if "pulled" not in case:
        return (Example(type_, "example", inputs, protect=case.get("protect", False)),)
    # The container has the id of an image that a resource of its own pulls.
    image = Example(tokens.REMOTE_IMAGE, "image", {**_BASES["image"], "name": case["pulled"]})
    return image, Example(type_, "example", {**inputs, "image": "sha256:1"}, uses={"image": (image.urn,)})


CASES = tuple(_read())
