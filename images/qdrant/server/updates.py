"""Changes of points, as operations of the engine."""

from collections.abc import Iterator
from typing import Any, Final

import qdrant_edge as edge
from qdrant_client.http import models

from images.qdrant.server.errors import ApiError, BadRequestError, InternalError, InvalidError, MalformedError
from images.qdrant.server.filters import to_filter
from images.qdrant.server.ids import point_id
from images.qdrant.server.vectors import to_points, to_vectors

Operation = edge.UpdateOperation

_MODES: Final = {
    None: None,
    models.UpdateMode.UPSERT: edge.UpdateMode.Upsert,
    models.UpdateMode.INSERT_ONLY: edge.UpdateMode.InsertOnly,
    models.UpdateMode.UPDATE_ONLY: edge.UpdateMode.UpdateOnly,
}


def operations(change: models.UpdateOperation) -> Iterator[edge.UpdateOperation]:
    """What the engine has to do, in order. Raises ApiError before the first one is given out."""
    match change:
        case models.UpsertOperation(upsert=insert):
            inserted = _some(to_points(insert))
            yield Operation.upsert_points(inserted, to_filter(insert.update_filter), _MODES[insert.update_mode])
        case models.DeleteOperation(delete=selector):
            ids, condition = _selected(selector)
            yield Operation.delete_points(ids) if condition is None else Operation.delete_points_by_filter(condition)
        case models.SetPayloadOperation(set_payload=change_):
            yield _payload(change_, Operation.set_payload, Operation.set_payload_by_filter)
        case models.OverwritePayloadOperation(overwrite_payload=change_):
            yield _payload(change_, Operation.overwrite_payload, Operation.overwrite_payload_by_filter)
        case models.DeletePayloadOperation(delete_payload=deletion):
            ids, condition = _selected(deletion)
            if condition is None:
                yield Operation.delete_payload(ids, deletion.keys)
            else:
                yield Operation.delete_payload_by_filter(condition, deletion.keys)
        case models.ClearPayloadOperation(clear_payload=selector):
            ids, condition = _selected(selector)
            yield Operation.clear_payload(ids) if condition is None else Operation.clear_payload_by_filter(condition)
        case models.UpdateVectorsOperation(update_vectors=update):
            points = [edge.PointVectors(point_id(each.id), to_vectors(each.vector)) for each in update.points]
            if not points:
                raise InvalidError("Validation error in JSON body: [points: must specify points to update]")
            yield Operation.update_vectors(points, to_filter(update.update_filter))
        case models.DeleteVectorsOperation(delete_vectors=removal):
            yield from _vector_removal(removal)


def shows_at_once(change: models.UpdateOperation, error: ApiError) -> bool:
    """Whether Qdrant reports `error` to who does not wait too: the form, and the dimensions of what is inserted."""
    if not error.of_engine or isinstance(error, InternalError):
        return True
    return isinstance(change, models.UpsertOperation) and "Vector dimension error" in str(error)


def _vector_removal(removal: models.DeleteVectors) -> Iterator[edge.UpdateOperation]:
    # Qdrant takes both, one after the other.
    if removal.points is None and removal.filter is None:
        raise BadRequestError("No filter or points provided")
    if not removal.vector:
        raise InvalidError("Validation error in JSON body: [vector: must specify vector names to delete]")
    if removal.points is not None:
        yield Operation.delete_vectors(_some([point_id(each) for each in removal.points]), removal.vector)
    condition = to_filter(removal.filter)
    if condition is not None:
        yield Operation.delete_vectors_by_filter(condition, removal.vector)


def _payload(change: models.SetPayload, by_ids: Any, by_filter: Any) -> edge.UpdateOperation:
    ids, condition = _selected(change)
    operation: edge.UpdateOperation = (
        by_ids(ids, change.payload, change.key)
        if condition is None
        else by_filter(condition, change.payload, change.key)
    )
    return operation


def _selected(selector: Any) -> tuple[list[Any], edge.Filter | None]:
    """The points that are named, or the filter that finds them; the points win where both are given."""
    points = getattr(selector, "points", None)
    condition = getattr(selector, "filter", None)
    if points is not None:
        return _some([point_id(each) for each in points]), None
    if condition is not None:
        return [], to_filter(condition)
    raise MalformedError("Format error in JSON body: Either list of point ids or filter must be provided")


def _some(points: list[Any]) -> list[Any]:
    if not points:
        raise BadRequestError("Empty update request")
    return points
