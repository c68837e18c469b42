"""What the provider asks of each resource type, and what network, volume and container have in common."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from engine.providers.base import Call, Old, Properties
from engine.providers.bridge.schema import Attribute, Kind, Schema
from engine.providers.docker.daemon import Daemon
from engine.providers.docker.formats import is_not_empty

BUSY_DEADLINE = 30.0  # seconds that the official provider, too, gives a network or volume to become free

LABELS: Schema = {
    "label": Attribute(kind=Kind.TEXT, required=True, rule=is_not_empty),
    "value": Attribute(kind=Kind.TEXT, required=True),
}


class Resource(Protocol):
    """One resource type. A daemon's failure leaves every method as a ProviderError that names the object."""

    schema: Schema
    # None: only where the program names the object, since two of one name cannot be at the same time
    delete_before_replace: bool | None

    def create(self, daemon: Daemon, call: Call, inputs: Properties) -> tuple[str, Properties]: ...

    def read(self, daemon: Daemon, call: Call, old: Old) -> Old | None: ...

    def seen(self, daemon: Daemon, call: Call, old: Old) -> Old | None:
        """The record, corrected by what a plan looks at without a refresh; None if the object was removed by hand."""

    def update(self, daemon: Daemon, call: Call, old: Old, inputs: Properties) -> Properties: ...

    def delete(self, daemon: Daemon, call: Call, old: Old) -> None: ...


def label_mapping(labels: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    return {label["label"]: label["value"] for label in labels or ()}


def label_list(labels: Mapping[str, str] | None) -> list[dict[str, str]]:
    return [{"label": name, "value": value} for name, value in sorted((labels or {}).items())]


def carries(live: Mapping[str, str] | None, asked: Mapping[str, str]) -> bool:
    """Whether an object found under the wanted name was left behind by an interrupted create of the same program.

    Generic on purpose: it has every label that the inputs ask for, and they ask for some. Programs make that
    conclusive by a label with a random id of their own.
    """
    return bool(asked) and asked.items() <= (live or {}).items()
