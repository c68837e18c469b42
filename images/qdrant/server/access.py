"""What a caller may do, in the three grades of Qdrant's tokens: read, write, manage."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from images.qdrant.server.errors import ForbiddenError


class CollectionAccess(BaseModel):
    """One entry of a token's `access` list."""

    model_config = ConfigDict(frozen=True)

    collection: str
    access: Literal["r", "rw", "prw"]
    payload: Any = None

    @field_validator("payload")
    @classmethod
    def _no_longer(cls, value: Any) -> Any:
        if value is not None:
            raise ValueError("The 'payload' constraint is deprecated and should not be used")
        return value


class Need(IntEnum):
    """What an operation on a collection needs."""

    READ = 0
    WRITE = 1
    MANAGE = 2


@dataclass(frozen=True)
class Access:
    """`mode` is the grade over everything (`r` or `m`), or a list of collections with a grade each."""

    mode: Literal["r", "m"] | tuple[CollectionAccess, ...]

    def check_global(self, need: Need) -> None:
        """Raises ForbiddenError unless the caller may do this to the server as a whole."""
        if isinstance(self.mode, tuple):
            raise ForbiddenError("Global access is required")
        if need > Need.READ and self.mode != "m":
            raise ForbiddenError("Global manage access is required")

    def check(self, collection: str, need: Need, *, extras: bool = False) -> None:
        """Raises ForbiddenError unless the caller may do this. `extras`: indexes and snapshots."""
        if not isinstance(self.mode, tuple):
            self.check_global(need)
            return
        entry = next((entry for entry in self.mode if entry.collection == collection), None)
        if entry is None:
            raise ForbiddenError(f"Access to collection {collection} is required")
        if extras and entry.access == "prw":
            raise ForbiddenError(f"Only points access is allowed for collection {collection}")
        if need is Need.WRITE and entry.access == "r":
            raise ForbiddenError(f"Write access to collection {collection} is required")
        if need is Need.MANAGE:
            raise ForbiddenError("Manage access for this operation is required")

    def may_read(self, collection: str) -> bool:
        """Whether `collection` appears in listings; of an alias its own name decides."""
        return not isinstance(self.mode, tuple) or any(entry.collection == collection for entry in self.mode)


MANAGE = Access("m")
READ = Access("r")


class KeyValue(BaseModel):
    """One payload field and the value that it must have."""

    key: str
    value: bool | int | str


class ValueExists(BaseModel):
    """A token counts only as long as `collection` has a point with these payload values."""

    collection: str
    matches: list[KeyValue]


class Claims(BaseModel):
    """The claims of a token. All are optional; a token without `access` may do everything."""

    exp: Annotated[int | None, Field(ge=0)] = None
    access: Literal["r", "m"] | tuple[CollectionAccess, ...] = "m"
    value_exists: ValueExists | None = None

    @field_validator("access")
    @classmethod
    def _once(cls, value: Any) -> Any:
        if isinstance(value, tuple) and len({entry.collection for entry in value}) < len(value):
            raise ValueError("Collection name should be unique")
        return value
