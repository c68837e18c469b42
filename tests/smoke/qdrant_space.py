"""Points of one test in a collection that may hold others, and what a search among them has to find."""

import uuid
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from qdrant_client import QdrantClient, models

from infra.contract import Collection

BATCH: Final = 100  # points of 1536 dimensions are a few MB of JSON
SEED: Final = 20261125
FIELD: Final = "strata_smoke"

Vectors = NDArray[np.float32]

# What Qdrant's score is, of one query against many vectors.
SCORES: Final[dict[str, Callable[[Vectors, Vectors], Vectors]]] = {
    "Cosine": lambda v, q: (v @ q) / (np.linalg.norm(v, axis=1) * np.linalg.norm(q)),
    "Dot": lambda v, q: v @ q,
    "Euclid": lambda v, q: np.linalg.norm(v - q, axis=1),
    "Manhattan": lambda v, q: np.abs(v - q).sum(axis=1),
}


class Space:
    """`count` random vectors for the first vector of a collection; their points carry a mark of their own."""

    def __init__(self, collection: Collection, count: int) -> None:
        self.collection, self.name = collection, collection.name
        self.using = next(iter(collection.vectors), None)
        vector = collection.vectors[self.using] if self.using else None
        size, distance = (vector.size, vector.distance) if vector else (collection.size, collection.distance)
        assert size
        assert distance
        self._random = np.random.default_rng(SEED)
        self._size, self._scores = size, SCORES[distance]
        self.larger_is_nearer = distance in ("Cosine", "Dot")
        self.mark = {FIELD: str(uuid.uuid4())}
        self.ids = [str(uuid.uuid4()) for _ in range(count)]
        self.vectors = self._some(count)

    def write(
        self, client: QdrantClient, start: int, end: int, payload: Callable[[int], dict[str, Any]]
    ) -> models.UpdateResult | None:
        """Upserts the points from number `start` on, up to `end`."""
        done = None
        for first in range(start, end, BATCH):
            numbers = range(first, min(first + BATCH, end))
            points = [
                models.PointStruct(id=self.ids[n], vector=self._vector(n), payload={**payload(n), **self.mark})
                for n in numbers
            ]
            done = client.upsert(self.name, points, wait=True)
        return done

    def only(self, more: models.Filter | None = None) -> models.Filter:
        """These points, and of them those that `more` finds."""
        mine: list[models.Condition] = [
            models.FieldCondition(key=FIELD, match=models.MatchValue(value=self.mark[FIELD]))
        ]
        return models.Filter(must=[*mine, more] if more else mine)

    def queries(self, count: int) -> list[list[float]]:
        return [[float(x) for x in query] for query in self._some(count)]

    def nearest(self, query: list[float], count: int) -> list[tuple[str, float]]:
        """Ids and scores, by brute force, the nearest first."""
        scores = self._scores(self.vectors, np.array(query, dtype=np.float32))
        order = np.argsort(-scores if self.larger_is_nearer else scores)[:count]
        return [(self.ids[number], float(scores[number])) for number in order]

    def _some(self, count: int) -> Vectors:
        # Rounded, so that JSON carries them in few characters and exactly.
        return np.round(self._random.standard_normal((count, self._size)), 3).astype(np.float32)

    def _vector(self, number: int) -> Any:
        own = [round(float(x), 3) for x in self.vectors[number]]
        if not self.collection.vectors:
            return own
        others = {name: [1.0] * vector.size for name, vector in self.collection.vectors.items()}
        return {**others, self.using: own}
