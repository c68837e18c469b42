"""The administrator's connection to Qdrant, over REST, and its failures in one clear line.

Not `qdrant-client`: importing it takes more than a second, and a dozen requests are all that is needed.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from pulumi.dynamic import CheckFailure

from components.slices.admin import Address
from components.slices.errors import RefusedError, SliceError
from components.slices.resource import name_failure
from components.trust import complaint, verified

if TYPE_CHECKING:
    import urllib3

TIMEOUT: Final = 5.0  # seconds, for connecting and for an answer
CHANGE_TIMEOUT: Final = 600.0  # seconds: an index over millions of points is there when it is answered
# A path of the API without an escape, and a folder's name on the server; Qdrant's own limit is 255.
NAME_PATTERN: Final = "[A-Za-z0-9_-]+"
NAME_LIMIT: Final = 255

# Strata's own collection: no vectors; a point for the identity of the volume, and one for each login.
LOGINS: Final = "strata_logins"
REFUSED: Final = (401, 403)


def collection_problems(property_: str, name: Any) -> list[CheckFailure]:
    """Why `name` cannot be a collection's, if it cannot."""
    return name_failure(property_, name, pattern=NAME_PATTERN, limit=NAME_LIMIT, reserved=LOGINS)


class Connection:
    """Requests with one key, answered with the `result` of Qdrant's JSON."""

    def __init__(self, http: "urllib3.PoolManager", base: str, key: str) -> None:
        self._http, self._base, self._key = http, base, key

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        absent: bool = False,
        limit: float | None = None,
    ) -> Any:
        """`absent`: None for what the server does not have (404). Raises QdrantAnswerError otherwise.

        `limit` is for an answer, in seconds, where it is not the connection's.
        """
        content = None if body is None else json.dumps(body).encode()
        headers = {"api-key": self._key, "content-type": "application/json"}
        more: dict[str, Any] = {} if limit is None else {"timeout": limit}
        answer = self._http.request(method, f"{self._base}{path}", body=content, headers=headers, **more)
        if answer.status == 404 and absent:
            return None
        if answer.status != 200:
            raise QdrantAnswerError(answer.status, _reason(answer.data))
        return json.loads(answer.data)

    def version(self) -> str:
        return str(self.call("GET", "/")["version"])

    def collection(self, name: str) -> dict[str, Any] | None:
        """Configuration and counts of one collection, if there is one."""
        answer = self.call("GET", path(name), absent=True)
        return dict(answer["result"]) if answer else None

    def create_collection(self, name: str, body: Mapping[str, Any]) -> None:
        self.call("PUT", path(name), body, limit=CHANGE_TIMEOUT)

    def update_collection(self, name: str, body: Mapping[str, Any]) -> None:
        self.call("PATCH", path(name), body, limit=CHANGE_TIMEOUT)

    def delete_collection(self, name: str) -> None:
        """It may be gone already."""
        self.call("DELETE", path(name), limit=CHANGE_TIMEOUT)

    def create_index(self, name: str, field: str, type_: str) -> None:
        body = {"field_name": field, "field_schema": type_}
        self.call("PUT", f"{path(name)}/index?wait=true", body, limit=CHANGE_TIMEOUT)

    def delete_index(self, name: str, field: str) -> None:
        """It may be gone already."""
        where = f"{path(name)}/index/{quote(field, safe='')}?wait=true"
        self.call("DELETE", where, absent=True, limit=CHANGE_TIMEOUT)

    def put_point(self, name: str, id_: str, payload: Mapping[str, Any]) -> None:
        """A point without vectors; one with that id is replaced."""
        points = [{"id": id_, "vector": {}, "payload": dict(payload)}]
        self.call("PUT", f"{path(name)}/points?wait=true", {"points": points})

    def payloads(self, name: str, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Id → payload of those points that exist."""
        body = {"ids": list(ids), "with_payload": True, "with_vector": False}
        answer = self.call("POST", f"{path(name)}/points", body, absent=True)
        return {str(point["id"]): point["payload"] or {} for point in (answer or {"result": []})["result"]}

    def all_payloads(self, name: str) -> dict[str, dict[str, Any]]:
        """Id → payload of every point."""
        found: dict[str, dict[str, Any]] = {}
        offset: Any = None
        while True:
            body = {"limit": 1000, "with_payload": True, "with_vector": False, "offset": offset}
            answer = self.call("POST", f"{path(name)}/points/scroll", body, absent=True)
            result = answer["result"] if answer else {"points": []}
            found |= {str(point["id"]): point["payload"] or {} for point in result["points"]}
            offset = result.get("next_page_offset")
            if offset is None:
                return found

    def delete_points(self, name: str, ids: Sequence[str]) -> None:
        """They may be gone already."""
        self.call("POST", f"{path(name)}/points/delete?wait=true", {"points": list(ids)}, absent=True)


class QdrantAnswerError(Exception):
    """The server answered with another status than 200."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{reason} ({status})")
        self.status = status


@contextmanager
def connect(address: Address, *, timeout: float = TIMEOUT) -> Iterator[Connection]:
    """A connection with the key or token that `address` names. Raises SliceError for every failure in or under it."""
    import urllib3

    where = f"Qdrant at {address}"
    host, port = address.reached()
    http = urllib3.PoolManager(timeout=timeout, retries=False, **verified(address.ca))
    base = f"{'https' if address.ca else 'http'}://{host}:{port}"
    try:
        yield Connection(http, base, address.password())
    except QdrantAnswerError as error:
        if error.status in REFUSED:
            raise RefusedError(
                f"{where}: the administrator's token is refused: {error}. `strata up` asserts it again; if another"
                " Qdrant holds this port, stop that one"
            ) from None
        raise SliceError(f"{where}: {error}") from None
    except urllib3.exceptions.HTTPError as error:
        reason = str(error).rpartition(": ")[2]
        raise SliceError(f"{where}: {complaint(error) or f'no answer ({reason}). {address.absent}'}") from None
    except (ValueError, KeyError, TypeError):
        raise SliceError(f"{where}: that is no answer of Qdrant. If something else holds this port, stop it") from None
    finally:
        http.clear()


def path(collection: str) -> str:
    return f"/collections/{quote(collection, safe='')}"


def _reason(content: bytes) -> str:
    """The error's text of Qdrant's JSON, or the answer as it is."""
    try:
        status = json.loads(content)["status"]
        return str(status["error"] if isinstance(status, dict) else status)
    except (ValueError, KeyError, TypeError):
        return content.decode(errors="replace").strip()[:200]
