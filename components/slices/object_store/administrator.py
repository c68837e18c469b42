"""Makes the administrator of a running MinIO, or gives it the current password.

The server takes another password of its root only when it starts. So the administrator is a user, whom root makes.
"""

from typing import Final

from components.slices.admin import Address
from components.slices.object_store.connection import ROOT, USER, connect

POLICY: Final = "consoleAdmin"  # MinIO's own: everything


def assert_user(address: Address, root: Address) -> None:
    """The user `admin` has the current password, and every right.

    Raises RefusedError if root's password is refused, SliceError for anything else.
    """
    with connect(root, user=ROOT) as connection:
        connection.put_user(USER, address.password())
        connection.admin.policy_set(POLICY, user=USER)
