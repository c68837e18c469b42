"""Gives a running Postgres the administrator's current password."""

from typing import Final

from components.slices.admin import Address
from components.slices.postgres import scram
from components.slices.postgres.connection import USER, connect, run

# Whoever logged in before stays logged in, with every right. Sessions over the socket, such as the start script's, need
# no password and stay.
END_SESSIONS: Final = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE usename = %s AND client_addr IS NOT NULL AND pid <> pg_backend_pid()"
)


def assert_password(address: Address) -> None:
    """The role `postgres` gets the current password, and its other sessions over TCP end.

    Raises RefusedError if neither the current nor an earlier password is accepted, SliceError for anything else.
    """

    def change(accepted: str) -> None:
        verifier = scram.verifier(address.password())
        with connect(address, password=accepted) as connection:
            run(connection, "ALTER ROLE {} PASSWORD {verifier}", USER, verifier=verifier)
            connection.execute(END_SESSIONS, (USER,))

    address.with_each_password(change)
