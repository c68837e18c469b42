"""Vectors, points and what is asked to come back, between the API and the engine."""

from collections.abc import Sequence
from typing import Any

import numpy
import qdrant_edge as edge
from qdrant_client.http import models

from images.qdrant.server.errors import InvalidError, NotOfferedError
from images.qdrant.server.ids import plain_id, point_id


def to_vector(vector: Any) -> Any:
    """One vector: dense, sparse or several rows. Raises InvalidError and NotOfferedError."""
    if isinstance(vector, models.SparseVector):
        if len(vector.indices) != len(vector.values):
            raise InvalidError("Validation error in JSON body: [values: must be the same length as indices]")
        if len(set(vector.indices)) < len(vector.indices):
            raise InvalidError("Validation error in JSON body: [indices: must be unique]")
        return edge.SparseVector(vector.indices, vector.values)
    if isinstance(vector, models.Document | models.Image | models.InferenceObject):
        raise NotOfferedError("inference; send vectors")
    if not vector:
        raise InvalidError("Validation error in JSON body: [vector: dense vector must not be empty]")
    return vector


def to_vectors(vectors: Any) -> Any:
    """All vectors of one point: of the unnamed one, or by name."""
    if isinstance(vectors, dict):
        return {name: to_vector(vector) for name, vector in vectors.items()}
    return to_vector(vectors)


def to_points(insert: models.PointInsertOperations) -> list[edge.Point]:
    """The points of an upsert, given one by one or as columns."""
    if isinstance(insert, models.PointsList):
        return [edge.Point(point_id(each.id), to_vectors(each.vector), each.payload or {}) for each in insert.points]
    batch = insert.batch
    rows = _rows(batch.vectors, len(batch.ids))
    payloads: Sequence[dict[str, Any] | None] = batch.payloads or [None] * len(batch.ids)
    if len(rows) != len(batch.ids) or len(payloads) != len(batch.ids):
        raise InvalidError(
            f"Validation error in JSON body: [batch: number of ids, vectors and payloads must be equal "
            f"({len(batch.ids)}, {len(rows)} and {len(payloads)})]"
        )
    return [
        edge.Point(point_id(id_), to_vectors(vectors), payload or {})
        for id_, vectors, payload in zip(batch.ids, rows, payloads, strict=True)
    ]


def _rows(columns: Any, count: int) -> list[Any]:
    if not isinstance(columns, dict):
        return list(columns)
    if any(len(column) != count for column in columns.values()):
        raise InvalidError("Validation error in JSON body: [batch: each vector needs as many values as there are ids]")
    return [{name: column[row] for name, column in columns.items()} for row in range(count)]


def with_payload(model: models.WithPayloadInterface | None, default: bool) -> Any:
    """Which payload fields come back."""
    match model:
        case None:
            return default
        case models.PayloadSelectorInclude():
            return edge.PayloadSelector.Include(model.include)
        case models.PayloadSelectorExclude():
            return edge.PayloadSelector.Exclude(model.exclude)
        case _:
            return model


def from_vectors(vectors: Any) -> Any:
    """Vectors of the engine as the API's."""
    if isinstance(vectors, dict):
        return {name: from_vectors(vector) for name, vector in vectors.items()}
    if isinstance(vectors, edge.SparseVector):
        values = [single(value) for value in vectors.values]
        return models.SparseVector.model_construct(indices=list(vectors.indices), values=values)
    if isinstance(vectors, list):
        return [from_vectors(each) if isinstance(each, list) else single(each) for each in vectors]
    return vectors


def single(value: float) -> float:
    """The engine's 32-bit number as the shortest decimal that means it: 0.1, not 0.10000000149011612."""
    return float(str(numpy.float32(value)))


def from_record(record: edge.Record) -> models.Record:
    # Built unchecked: what comes from the engine has the right form, and a check of each float would cost most.
    return models.Record.model_construct(
        id=plain_id(record.id),
        payload=record.payload,
        vector=from_vectors(record.vector),
        order_value=record.order_value,
    )


def from_scored(point: edge.ScoredPoint) -> models.ScoredPoint:
    return models.ScoredPoint.model_construct(
        id=plain_id(point.id),
        version=point.version,
        score=single(point.score),
        payload=point.payload,
        vector=from_vectors(point.vector),
        order_value=point.order_value,
    )
