"""How a slice finds the administrator's login without knowing its password."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pulumi

from components.secretfiles import SecretFileError, forget_previous, previous_secrets, read_secret
from components.slices.errors import RefusedError, SliceError


@dataclass(frozen=True, kw_only=True)
class AdminRef:
    """The administrator's login of one backend, by reference.

    `secret` names the file (see `components.secretfiles`) that holds the password of the role `postgres`, or of the
    user `admin`. It is read when a provider acts, so that a rotation leaves no dead password in any state.
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
        with _readable():
            return read_secret(self.stack, self.secret)

    def earlier(self) -> list[str]:
        """Passwords that the backend may still accept instead of the current one, the newest first."""
        with _readable():
            return previous_secrets(self.stack, self.secret)

    def settle(self) -> None:
        """The backend accepts the current password, and no earlier one is needed any more."""
        with _readable():
            forget_previous(self.stack, self.secret)

    def with_each_password(self, act: Callable[[str], None]) -> None:
        """`act` with the current password, or else with the first earlier one that is not refused.

        Raises RefusedError if all are refused, and what `act` raises besides.
        """
        for password in (self.password(), *self.earlier()):
            try:
                return act(password)
            except RefusedError as error:
                refused = error
        raise refused


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except SecretFileError as error:
        raise SliceError(str(error)) from None
