"""What the provider asks of each resource type, and what several of them have in common."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Protocol

from engine.providers.aws.account import Account
from engine.providers.base import Call, Old, Properties
from engine.providers.bridge.schema import Attribute, Kind, OnChange, Schema

TAG_KEY, TAG_VALUE, TAGS = 128, 256, 50  # characters, characters, tags of one object


class Resource(Protocol):
    """One resource type. AWS' failure leaves every method as a ProviderError that names the object."""

    schema: ClassVar[Schema]
    # Whether the official provider has the type from Terraform's newer framework, whose inputs have no `__defaults`.
    framework: ClassVar[bool]

    def create(self, account: Account, call: Call, inputs: Properties) -> tuple[str, Properties]: ...

    def read(self, account: Account, call: Call, old: Old) -> Old | None: ...

    def update(self, account: Account, call: Call, old: Old, inputs: Properties) -> Properties: ...

    def delete(self, account: Account, call: Call, old: Old) -> None: ...


def tag_failures(tags: Any) -> Iterator[tuple[str, str]]:
    """(Property path, reason) for what AWS would refuse."""
    if not isinstance(tags, Mapping):
        return
    if len(tags) > TAGS:
        yield "tags", f"{len(tags)} tags are asked for, and an object has at most {TAGS}"
    for key, text in tags.items():
        if not 1 <= len(key) <= TAG_KEY or key.startswith("aws:"):
            yield f"tags.{key}", f'is no key of a tag: write up to {TAG_KEY} characters, not beginning with "aws:"'
        if isinstance(text, str) and len(text) > TAG_VALUE:
            yield f"tags.{key}", f"has {len(text)} characters, and at most {TAG_VALUE} are allowed"


TAG_ATTRIBUTES: Schema = {
    "tags": Attribute(kind=Kind.MAP, on_change=OnChange.UPDATE),
    "tagsAll": Attribute(kind=Kind.MAP, output_only=True),
}
REGION: Schema = {"region": Attribute(kind=Kind.TEXT, computed=True, supported=False)}


def with_tags(tags: Mapping[str, str] | None) -> Properties:
    """The two outputs in which the official provider records tags."""
    return {"tags": dict(tags) if tags else None, "tagsAll": dict(tags or {})}


def tag_set(tags: Mapping[str, str] | None, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """As requests have tags."""
    return [{key: name, value: text} for name, text in sorted((tags or {}).items())]


def tag_mapping(tags: Iterable[Mapping[str, str]], key: str = "Key", value: str = "Value") -> dict[str, str]:
    return {tag[key]: tag[value] for tag in tags if not tag[key].startswith("aws:")}


def carries(live: Mapping[str, str] | None, asked: Mapping[str, str] | None) -> bool:
    """Whether an object that is there already is of the same program: it has every tag that is asked for, and some are.

    What a create that was killed has left behind is found by that, and what an earlier stack of the same name has kept.
    """
    return bool(asked) and (asked or {}).items() <= (live or {}).items()
