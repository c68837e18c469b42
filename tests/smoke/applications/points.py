"""Points of Qdrant as applications make them: their own ids in the payload, and a UUID of each as the point's.

Imported where it is used: `qdrant_client` takes more than a second, which the quick tests need not wait for.
"""

import math
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from qdrant_client import QdrantClient, models

# Qdrant's ids are numbers and UUIDs. One original always gives one UUID, so that an upsert replaces.
NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "strata")
SECONDS: Final = 20


def point_id(original: str) -> str:
    return str(uuid.uuid5(NAMESPACE, original))


def direction(size: int, angle: float) -> list[float]:
    """A vector of length 1. The cosine of two is that of the difference of their angles."""
    return [math.cos(angle), math.sin(angle)] + [0.0] * (size - 2)


@contextmanager
def connected(**options: Any) -> Iterator[QdrantClient]:
    """The official client, without its warning of a key over HTTP: TLS is the platform's choice."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Api key is used with an insecure connection")
        client = QdrantClient(**options, timeout=SECONDS, check_compatibility=False)
    try:
        yield client
    finally:
        client.close()


def point(original: str, vector: list[float], **payload: Any) -> models.PointStruct:
    return models.PointStruct(id=point_id(original), vector=vector, payload=payload)


def remove(client: QdrantClient, collection: str, **values: str) -> None:
    """All points that match."""
    client.delete(collection, models.FilterSelector(filter=matching(**values)), wait=True)


def matching(**values: str) -> models.Filter:
    """Points whose payload has all of these; `__` is the `.` of a path."""
    conditions = [
        models.FieldCondition(key=key.replace("__", "."), match=models.MatchValue(value=value))
        for key, value in values.items()
    ]
    return models.Filter(must=list(conditions))
