"""Gives a running Redis the administrator's current password."""

import hashlib

from components.slices.admin import Address
from components.slices.redis.connection import USER, connect


def assert_password(address: Address) -> None:
    """The user `admin` gets the current password and no other, and its other connections end.

    Raises RefusedError if neither the current nor an earlier password is accepted, SliceError for anything else.
    """

    def change(accepted: str) -> None:
        digest = hashlib.sha256(address.password().encode()).hexdigest()
        with connect(address, password=accepted) as connection:
            connection.command("ACL SETUSER", USER, "resetpass", f"#{digest}")
            connection.save()
            # Whoever logged in before would stay logged in, with every right.
            connection.command("CLIENT KILL", "USER", USER, "SKIPME", "yes")

    address.with_each_password(change)
