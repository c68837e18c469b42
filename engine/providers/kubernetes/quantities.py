"""Quantities of Kubernetes: `500m` processors, `1Gi` of memory."""

from decimal import Decimal, InvalidOperation
from typing import Any

_UNITS = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_UNITS = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


def quantity(value: Any) -> Decimal | None:
    """The number that a quantity such as `500m` or `1Gi` is; None for a text that is none."""
    text = str(value)
    binary = _BINARY_UNITS.get(text[-2:])
    unit = text[-2:] if binary else text[-1:] if text[-1:] in _UNITS else ""
    try:
        number = Decimal(text.removesuffix(unit))
    except InvalidOperation:
        return None
    return number * 1024**binary if binary else number.scaleb(_UNITS[unit])
