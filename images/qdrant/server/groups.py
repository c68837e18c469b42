"""Results grouped by a payload value, asked for until there are enough groups."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from qdrant_client.http import models

GROUPS: Final = 10
SIZE: Final = 3


def grouped(
    request: models.QueryGroupsRequest, count: int, ask: Callable[[models.QueryRequest], list[models.ScoredPoint]]
) -> list[models.PointGroup]:
    """The best groups of a collection of `count` points. A point that has no value for the key is in no group."""
    wanted = GROUPS if request.limit is None else request.limit
    size = SIZE if request.group_size is None else request.group_size
    inner = {name: getattr(request, name) for name in models.QueryRequest.model_fields if hasattr(request, name)}
    has_value = models.Filter(must_not=[models.IsEmptyCondition(is_empty=models.PayloadField(key=request.group_by))])
    inner["filter"] = models.Filter(must=[request.filter, has_value]) if request.filter else has_value
    limit = min(max(wanted * size * 4, 1), max(count, 1))
    while True:
        points = ask(models.QueryRequest.model_construct(**{**inner, "limit": limit, "with_payload": True}))
        groups = _groups(points, request.group_by, wanted, size)
        full = len(groups) == wanted and all(len(each) == size for each in groups.values())
        if full or len(points) < limit or limit >= count:
            return [models.PointGroup.model_construct(id=id_, hits=hits, lookup=None) for id_, hits in groups.items()]
        limit = min(limit * 4, count)


def _groups(
    points: list[models.ScoredPoint], key: str, wanted: int, size: int
) -> dict[str | int, list[models.ScoredPoint]]:
    groups: dict[str | int, list[models.ScoredPoint]] = {}
    for point in points:
        for value in dict.fromkeys(_values(point.payload, re.split(r"\.", key))):
            if value not in groups and len(groups) == wanted:
                continue
            hits = groups.setdefault(value, [])
            if len(hits) < size:
                hits.append(point)
    return groups


def _values(payload: Any, path: list[str]) -> Iterator[str | int]:
    """The texts and integers under `path`. `name[]` and a list at the end stand for each of their values."""
    if isinstance(payload, list):
        for each in payload:
            yield from _values(each, path)
    elif path and isinstance(payload, dict):
        yield from _values(payload.get(path[0].removesuffix("[]")), path[1:])
    elif not path and isinstance(payload, str | int) and not isinstance(payload, bool):
        yield payload
