"""Property values inside the engine: how they are marked, searched and shown. Their wire form is in `engine.wire`.

A value has the shape of JSON (dict, list, str, int, float, bool, None) plus two additions:
`UNKNOWN`, what a preview cannot know yet, and `Secret`, which marks a value that must not be shown. Assets, archives
and resource references stay the dicts that they are on the wire (they carry `SIGNATURE`).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

# The magic keys of Pulumi's wire format (sdk/go/common/resource/sig in pulumi/pulumi).
SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a public marker
OUTPUT_VALUE: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
RESOURCE_REFERENCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

INPUTS: Final = "__inputs"  # the output in which some official providers record the inputs

MASK: Final = "[secret]"
SHORTEST_MASKED = 4  # replacing shorter texts would garble every message and protect nothing


class Unknown(enum.Enum):
    """The type of `UNKNOWN`; an enum so that identity survives copying and type checkers narrow on `is`."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown.UNKNOWN


@dataclass(frozen=True)
class Secret:
    """A value that only its consumer may see. Its repr, and so any log line, does not show it."""

    value: Any = field(repr=False)


Properties = dict[str, Any]


def rewrite(value: Any, change: Callable[[Any], Any]) -> Any:
    """A copy of the tree with `change` applied to every node, children first."""
    if isinstance(value, Mapping):
        return change({key: rewrite(item, change) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return change([rewrite(item, change) for item in value])
    if isinstance(value, Secret):
        return change(Secret(rewrite(value.value, change)))
    return change(value)


def unwrap(value: Any) -> Any:
    """The value without secret markers, at any depth."""
    return rewrite(value, lambda node: node.value if isinstance(node, Secret) else node)


def plain(value: Any) -> Any:
    """What a provider is given: no secret markers, and the id (of a component, the URN) in a resource's place."""
    return rewrite(value, lambda node: node.value if isinstance(node, Secret) else _resolve(node))


def resolved(value: Any) -> Any:
    """As `plain`, with secret markers."""
    return rewrite(value, _resolve)


def _resolve(node: Any) -> Any:
    if isinstance(node, dict) and node.get(SIGNATURE) == RESOURCE_REFERENCE:
        return (node["id"] or UNKNOWN) if "id" in node else node["urn"]
    return node


def masked(value: Any) -> Any:
    """The value with every secret replaced by `[secret]`: what a person is shown."""
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, Mapping):
        return {key: masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item) for item in value]
    return value


def walk(value: Any) -> Iterator[Any]:
    """Every node of the tree, parents first."""
    yield value
    if isinstance(value, Mapping):
        for item in value.values():
            yield from walk(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from walk(item)
    elif isinstance(value, Secret):
        yield from walk(value.value)


def contains_unknown(value: Any) -> bool:
    return any(node is UNKNOWN for node in walk(value))


def contains_secret(value: Any) -> bool:
    return any(isinstance(node, Secret) for node in walk(value))


def mark_secrets(outputs: Mapping[str, Any], names: Iterable[str]) -> Properties:
    """The outputs with the named top-level properties marked secret (once)."""
    chosen = set(names)
    return {key: _secret(value) if key in chosen else value for key, value in outputs.items()}


def carry_secrets(outputs: Mapping[str, Any], inputs: Mapping[str, Any]) -> Properties:
    """The outputs of a provider that knows no secrets, marked where an input of the same name is secret.

    As the official engine does: objects are compared key by key; a list with one secret element is secret as a whole.
    """
    result = dict(outputs)
    for key, given in inputs.items():
        value = result.get(key)
        if isinstance(value, Mapping) and isinstance(given, Mapping):
            result[key] = carry_secrets(value, given)
        elif key in result and contains_secret(given):
            result[key] = _secret(value)
    return result


def _secret(value: Any) -> Secret:
    return value if isinstance(value, Secret) else Secret(unwrap(value))


def secret_texts(value: Any) -> set[str]:
    """Every text inside a secret of the tree, for masking messages."""
    found: set[str] = set()
    for node in walk(value):
        if isinstance(node, Secret):
            found.update(
                text for text in walk(node.value) if isinstance(text, str) and len(text.strip()) >= SHORTEST_MASKED
            )
    return found
