"""How a slice finds the administrator's login without knowing its password."""

from dataclasses import dataclass
from typing import Any

import pulumi

from components.secretfiles import SecretFileError, read_secret
from components.slices.errors import SliceError


@dataclass(frozen=True, kw_only=True)
class AdminRef:
    """The administrator's login of one backend, by reference.

    `secret` names the file (see `components.secretfiles`) that holds the password of the role `postgres` or of the
    Redis user `admin`. It is read when a provider acts, so that a rotation leaves no dead password in any state.
    """

    stack: str
    secret: str
    host: pulumi.Input[str]
    port: pulumi.Input[int]


@dataclass(frozen=True)
class Address:
    """An `AdminRef` as a provider receives it: plain values."""

    stack: str
    secret: str
    host: str
    port: int

    @classmethod
    def of(cls, props: dict[str, Any]) -> "Address":
        """From a resource's properties."""
        admin = props["admin"]
        return cls(admin["stack"], admin["secret"], admin["host"], int(admin["port"]))

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def password(self) -> str:
        """The administrator's current password. Raises SliceError, naming the file that is missing."""
        try:
            return read_secret(self.stack, self.secret)
        except SecretFileError as error:
            raise SliceError(str(error)) from None
