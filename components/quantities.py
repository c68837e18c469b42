"""Sizes as Kubernetes writes them (`512Mi`, `20Gi`), kept as bytes."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

_UNITS: Final = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40}
_SIZE: Final = re.compile(r"^(\d+)(Ki|Mi|Gi|Ti)$")

KIB: Final = _UNITS["Ki"]
MIB: Final = _UNITS["Mi"]
GIB: Final = _UNITS["Gi"]


def parse_size(value: object) -> int:
    """Bytes of `512Mi`. Raises ValueError for anything without a binary unit: `512` of what?"""
    match = _SIZE.match(value) if isinstance(value, str) else None
    if not match or int(match[1]) == 0:
        raise ValueError("not a size: write a whole number with Ki, Mi, Gi or Ti")
    return int(match[1]) * _UNITS[match[2]]


def format_size(size: int) -> str:
    for unit in ("Ti", "Gi", "Mi"):
        if size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]}{unit}"
    return f"{size // _UNITS['Ki']}Ki"


def quantity_bytes(text: str) -> int:
    """Bytes of a quantity as the API of Kubernetes gives it back: `20Gi`, `20G` or `21474836480`. Raises ValueError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti|k|M|G|T|)", text)
    if not match:
        raise ValueError(f"`{text}` is no size")
    units = {**_UNITS, "": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
    return int(float(match[1]) * units[match[2]])


_SCHEMA: Final = {"type": "string", "pattern": r"^0*[1-9][0-9]*(Ki|Mi|Gi|Ti)$"}

Size = Annotated[int, BeforeValidator(parse_size), PlainSerializer(format_size), WithJsonSchema(_SCHEMA)]


def at_least(minimum: str) -> AfterValidator:
    """Refuses sizes below `minimum`, in the words of the user."""

    def check(size: int) -> int:
        if size < parse_size(minimum):
            raise ValueError(f"at least {minimum} is needed")
        return size

    return AfterValidator(check)
