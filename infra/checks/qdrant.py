"""The application's collections, with its token."""

import json
from typing import Any

import urllib3

from components import trust
from infra.checks.reach import SECONDS, FailedError, Reach


def connected(reach: Reach) -> str:
    version = _get(reach, "/").get("version", "?")
    missing = [
        collection.name
        for collection in reach.slice.collections.values()
        if "points_count" not in _get(reach, f"/collections/{collection.name}").get("result", {})
    ]
    if missing:
        raise FailedError(f"no collection {', '.join(missing)}", "`strata up --refresh` makes it again, empty")
    return f"Qdrant connected: {len(reach.slice.collections)} collections, version {version}"


def _get(reach: Reach, path: str) -> dict[str, Any]:
    view = reach.view
    host, port = reach.address()
    pool = urllib3.PoolManager(timeout=SECONDS, retries=False, **trust.verified(reach.ca))
    url = f"{'https' if view.tls else 'http'}://{host}:{port}{path}"
    try:
        answer = pool.request("GET", url, headers={"api-key": reach.credential.password.get_secret_value()})
    except urllib3.exceptions.HTTPError as error:
        raise reach.unreachable(error) from None
    finally:
        pool.clear()
    if answer.status in (401, 403):
        raise reach.refused()
    if answer.status == 404:
        return {}
    if answer.status != 200:
        raise FailedError(f"GET {path} is answered with {answer.status}", "its log says why")
    try:
        found: dict[str, Any] = json.loads(answer.data)
    except ValueError:
        raise FailedError(f"GET {path} is answered with no JSON", "another server holds that port") from None
    return found
