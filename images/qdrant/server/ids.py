"""Ids of points: unsigned integers of 64 bits, or UUIDs."""

from typing import Any
from uuid import UUID

from images.qdrant.server.errors import MalformedError

MESSAGE = "value {} is not a valid point ID, valid values are either an unsigned integer or a UUID"


def point_id(value: Any) -> int | UUID:
    """The id as the engine takes it. Raises MalformedError."""
    if isinstance(value, UUID):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64:
        return value
    if isinstance(value, str):
        try:
            return UUID(value)
        except ValueError:
            pass
    raise MalformedError(f"Format error in JSON body: {MESSAGE.format(value)}")


def parsed_id(text: str) -> int | UUID:
    """An id in a path."""
    return point_id(int(text) if text.isdecimal() else text)


def plain_id(value: Any) -> int | str:
    """An id of the engine as the API writes it."""
    return value if isinstance(value, int) else str(value)
