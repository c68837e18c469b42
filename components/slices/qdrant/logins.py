"""Who may log in to Qdrant: one point for each login in a collection of Strata's own.

Qdrant has no users. A token (JWT) says what its bearer may do, and may say that a collection has to hold a point with a
certain value: without that point the token is refused. So each login has a point, and goes when its point is deleted.
The point of the volume's identity lies beside them, so that whoever asks for it also learns that all logins were lost.
"""

import uuid
from collections.abc import Mapping
from typing import Any, Final

from components.jwt_hs256 import claims, sign
from components.slices.errors import SliceError, UnpreparedError
from components.slices.qdrant.connection import LOGINS, Connection

ADMIN: Final = "admin"
IDENTITY: Final = str(uuid.UUID(int=0))
# https://qdrant.tech/documentation/guides/security/: whole access, and that to single collections
MANAGE: Final = "m"


def token(access: Any, id_: str, key: str) -> str:
    """A token that holds as long as a login has `id_`. `access` is in Qdrant's words, `key` the server's API key."""
    condition = {"collection": LOGINS, "matches": [{"key": "id", "value": id_}]}
    return sign({"access": access, "value_exists": condition}, key)


def admin_token(id_: str, key: str) -> str:
    return token(MANAGE, id_, key)


def id_of(text: str) -> str:
    """What a token that `token` made asks for. Raises SliceError for any other text."""
    try:
        return str(claims(text)["value_exists"]["matches"][0]["value"])
    except (ValueError, LookupError, TypeError):
        raise SliceError("the secret qdrant/admin is no token: `strata up` writes it anew") from None


def point(login: str) -> str:
    """The id of a login's point: the same for the same name."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"strata:qdrant-login:{login}"))


def prepare(connection: Connection, admin_id: str) -> None:
    """The collection, the volume's identity and the administrator's point, with the API key."""
    if connection.collection(LOGINS) is None:
        connection.create_collection(LOGINS, {"vectors": {}})
    if IDENTITY not in connection.payloads(LOGINS, [IDENTITY]):
        connection.put_point(LOGINS, IDENTITY, {"identity": str(uuid.uuid4())})
    put(connection, ADMIN, {"id": admin_id})


def identity(connection: Connection) -> str:
    """The UUID of the data volume. Raises UnpreparedError where `prepare` has not run."""
    found = connection.payloads(LOGINS, [IDENTITY]).get(IDENTITY, {}).get("identity")
    if not found:
        raise UnpreparedError("Qdrant has no identity yet: `strata up` gives it one")
    return str(found)


def put(connection: Connection, login: str, facts: Mapping[str, Any]) -> None:
    """Let the login in. `id` is what its token asks for."""
    connection.put_point(LOGINS, point(login), {"login": login, **facts})


def get(connection: Connection, login: str) -> dict[str, Any] | None:
    return connection.payloads(LOGINS, [point(login)]).get(point(login))


def remove(connection: Connection, *names: str) -> None:
    """Their tokens are refused from now on. They may be gone already."""
    connection.delete_points(LOGINS, [point(name) for name in names])


def names(connection: Connection) -> list[str]:
    """All logins but the administrator."""
    found = (payload.get("login") for payload in connection.all_payloads(LOGINS).values())
    return sorted(str(login) for login in found if login and login != ADMIN)
