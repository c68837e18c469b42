"""Reading inputs that may be absent, null or not known yet."""

from collections.abc import Mapping, Sequence
from typing import Any

from pulumi_policy.proxy import UnknownValueError

Inputs = Mapping[str, Any]


def each(inputs: Inputs, key: str) -> Sequence[Any]:
    """The elements of a list that may be absent or null."""
    return inputs.get(key) or ()


def number(inputs: Inputs, key: str) -> float:
    """A number that may be absent, null or written as a string (`cpus`); 0 if it says nothing."""
    try:
        return float(inputs.get(key) or 0)
    except ValueError:
        return 0.0


def is_given(inputs: Inputs, key: str) -> bool:
    """Whether the program sets a property at all. A value that is not known yet is one that will be there."""
    try:
        return bool(inputs.get(key))
    except UnknownValueError:
        return True
