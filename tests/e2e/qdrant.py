"""Qdrant in a stack of a test: what Alfred does with it, and what its administrator may do by hand."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

import urllib3

from components.slices.qdrant import logins
from tests.e2e.project import Project

COLLECTION = "alfred_documents"
SIZE = 1536
INDEXES = {"bucket_id": "keyword", "object_id": "uuid", "created_at": "datetime"}
LOGINS = "/collections/strata_logins"
KEPT = str(uuid.UUID(int=7))
REFUSED = (401, 403)


def ask(project: Project, key: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
    """Status and answer of a request."""
    where = f"http://127.0.0.1:{project.get('qdrant.port')}{path}"
    content = None if body is None else json.dumps(body).encode()
    # A server may close a connection that was idle in the moment in which it is used again: each request has its own.
    headers = {"api-key": key, "content-type": "application/json", "connection": "close"}
    answer = urllib3.request(method, where, body=content, headers=headers, retries=False, timeout=10)
    text = answer.data.decode()
    return answer.status, json.loads(text) if text.startswith("{") else text


def by_hand(project: Project, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """The result of a request of the administrator."""
    status, answer = ask(project, administrator(project), method, path, body)
    assert status == 200, answer
    return answer["result"]


def administrator(project: Project) -> str:
    return (project.state_home / "strata" / "secrets" / project.stack / "qdrant" / "admin").read_text()


def token(project: Project) -> str:
    """Alfred's, from the rendered file."""
    return project.rendered()["QDRANT_API_KEY"]


def status(project: Project, key: str, collection: str = COLLECTION) -> int:
    """What a reader with that key is answered."""
    return ask(project, key, "POST", f"/collections/{collection}/points/count", {})[0]


def remember(project: Project) -> None:
    """Writes a point that `remembers` finds."""
    vector = [1.0, *[0.0] * (SIZE - 1)]
    points = [{"id": KEPT, "vector": vector, "payload": {"bucket_id": "kept"}}]
    code, answer = ask(
        project, token(project), "PUT", f"/collections/{COLLECTION}/points?wait=true", {"points": points}
    )
    assert code == 200, answer


def remembers(project: Project) -> bool:
    code, answer = ask(project, token(project), "POST", f"/collections/{COLLECTION}/points", {"ids": [KEPT]})
    assert code == 200, answer
    return [point["payload"] for point in answer["result"]] == [{"bucket_id": "kept"}]


def use(project: Project) -> None:
    """What Alfred does: with indexes, with the token that reads and writes and with the one that reads."""
    remember(project)
    assert remembers(project)
    reader = project.outputs()["credentials"]["alfred"]["qdrant"]["readonly"]["password"]
    assert status(project, reader) == 200
    code, answer = ask(project, reader, "GET", f"/collections/{COLLECTION}")
    assert code == 200, answer
    schema = {field: index["data_type"] for field, index in answer["result"]["payload_schema"].items()}
    assert schema == INDEXES


def shut_out(project: Project, login: str = "alfred-1") -> None:
    by_hand(project, "POST", f"{LOGINS}/points/delete?wait=true", {"points": [logins.point(login)]})


def drop_index(project: Project) -> None:
    by_hand(project, "DELETE", f"/collections/{COLLECTION}/index/object_id?wait=true")
