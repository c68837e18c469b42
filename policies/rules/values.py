"""Reading inputs that may be absent, null or not known yet."""

from collections.abc import Mapping, Sequence
from typing import Any

from pulumi_policy import ResourceValidationArgs, Secret
from pulumi_policy.proxy import UnknownValueError, unknown_checking_proxy

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


def is_known(inputs: Inputs, key: str) -> bool:
    """Whether there is a value that can be read."""
    try:
        return inputs.get(key) is not None
    except UnknownValueError:
        return False


def is_known_at(items: Sequence[Any], index: int) -> bool:
    """As `is_known`, of an element of a list."""
    try:
        return items[index] is not None
    except UnknownValueError:
        return False


def secrets(args: ResourceValidationArgs) -> frozenset[str]:
    """The inputs that are secrets as a whole, in a remediation; the SDK's proxy tells it in this way only."""
    held: Mapping[str, Any] = args.props["__target"]
    return frozenset(key for key, value in held.items() if isinstance(value, Secret))


def checked(args: ResourceValidationArgs) -> ResourceValidationArgs:
    """A remediation's arguments as a check has them: to read an unknown value raises UnknownValueError."""
    props = unknown_checking_proxy(_plain(args.props))
    return ResourceValidationArgs(args.resource_type, props, args.urn, args.name, args.opts, args.provider)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
