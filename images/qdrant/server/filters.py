"""Filters of the API as the engine's."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy
import qdrant_edge as edge
from qdrant_client.http import models

from images.qdrant.server.errors import BadInputError, InvalidError, MalformedError, NotOfferedError
from images.qdrant.server.ids import point_id

_SLICE: Any = vars(edge)["SliceCondition"]  # missing in the engine's type stubs


def to_filter(model: models.Filter | None) -> edge.Filter | None:
    """None where nothing is asked for. Raises BadInputError for what the engine cannot match."""
    if model is None:
        return None
    minimum = model.min_should
    return edge.Filter(
        must=_conditions(model.must),
        should=_conditions(model.should),
        must_not=_conditions(model.must_not),
        min_should=edge.MinShould([to_condition(each) for each in minimum.conditions], minimum.min_count)
        if minimum
        else None,
    )


def to_condition(model: models.Condition) -> "edge.ConditionType":
    """One condition of a filter."""
    match model:
        case models.Filter():
            return to_filter(model) or edge.Filter()
        case models.FieldCondition():
            return _field(model)
        case models.IsEmptyCondition():
            return edge.IsEmptyCondition(model.is_empty.key)
        case models.IsNullCondition():
            return edge.IsNullCondition(model.is_null.key)
        case models.HasIdCondition():
            return edge.HasIdCondition({point_id(each) for each in model.has_id})
        case models.HasVectorCondition():
            return edge.HasVectorCondition(model.has_vector)
        case models.SliceCondition():
            _check_slice(model.slice)
            condition: edge.ConditionType = _SLICE(model.slice.total, model.slice.index)
            return condition
        case models.NestedCondition():
            return edge.NestedCondition(model.nested.key, to_filter(model.nested.filter) or edge.Filter())
        case _:
            raise NotOfferedError(f"the condition {type(model).__name__}")


def _conditions(given: Sequence[models.Condition] | models.Condition | None) -> "list[edge.ConditionType] | None":
    if not given:  # an empty list says nothing, and is what gRPC sends for no list
        return None
    return [to_condition(each) for each in (given if isinstance(given, Sequence) else [given])]


def _field(model: models.FieldCondition) -> edge.FieldCondition:
    if all(value is None for name, value in model if name != "key"):
        raise InvalidError("Validation error in JSON body: [filter: At least one field condition must be specified]")
    return edge.FieldCondition(
        key=model.key,
        match=_match(model.match) if model.match else None,
        range=_range(model.range) if model.range else None,
        geo_bounding_box=edge.GeoBoundingBox(
            to_geo_point(model.geo_bounding_box.top_left), to_geo_point(model.geo_bounding_box.bottom_right)
        )
        if model.geo_bounding_box
        else None,
        geo_radius=edge.GeoRadius(to_geo_point(model.geo_radius.center), model.geo_radius.radius)
        if model.geo_radius
        else None,
        geo_polygon=_polygon(model.geo_polygon) if model.geo_polygon else None,
        values_count=edge.ValuesCount(**model.values_count.model_dump()) if model.values_count else None,
        is_empty=model.is_empty,
        is_null=model.is_null,
    )


def _match(model: models.Match) -> "edge.MatchType":
    match model:
        case models.MatchValue():
            # The engine takes Python's True for the integer 1, and numpy's for what it is.
            value: Any = numpy.bool_(model.value) if isinstance(model.value, bool) else model.value
            return edge.MatchValue(value)
        case models.MatchText():
            return edge.MatchText(model.text)
        case models.MatchTextAny():
            return edge.MatchTextAny(model.text_any)
        case models.MatchPhrase():
            return edge.MatchPhrase(model.phrase)
        case models.MatchPrefix():
            return edge.MatchPrefix(model.prefix)
        case models.MatchSubstring():
            return edge.MatchSubstring(model.substring)
        case models.MatchAny():
            return edge.MatchAny(model.any)
        case models.MatchExcept():
            return edge.MatchExcept(model.except_)
    raise BadInputError(f"unknown match {model}")


def _range(model: models.Range | models.DatetimeRange) -> "edge.RangeType":
    bounds: dict[str, Any] = {"gte": model.gte, "gt": model.gt, "lte": model.lte, "lt": model.lt}
    if isinstance(model, models.Range):
        return edge.RangeFloat(**bounds)
    return edge.RangeDateTime(**{name: None if value is None else to_text(value) for name, value in bounds.items()})


def to_text(moment: datetime | date) -> str:
    """RFC 3339. A moment without a zone is UTC, as Qdrant has it."""
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


def to_geo_point(model: models.GeoPoint) -> edge.GeoPoint:
    return edge.GeoPoint(model.lon, model.lat)


def _polygon(model: models.GeoPolygon) -> edge.GeoPolygon:
    return edge.GeoPolygon(
        [to_geo_point(point) for point in model.exterior.points],
        [[to_geo_point(point) for point in line.points] for line in model.interiors or []],
    )


def _check_slice(part: Any) -> None:
    if part.total < 1 or part.index < 0:
        raise MalformedError("Format error in JSON body: slice: total has to be at least 1, and index at least 0")
    if part.index >= part.total:
        raise InvalidError(
            f"Validation error in JSON body: [filter: slice index {part.index} is not below {part.total}]"
        )
