"""Indexes of payload fields, between the API and the engine."""

from typing import Any, Final

import qdrant_edge as edge
from qdrant_client.http import models

from images.qdrant.server.errors import BadRequestError, InvalidError, NotOfferedError

_PARAMS: Final[dict[type, type]] = {
    models.KeywordIndexParams: edge.KeywordIndexParams,
    models.IntegerIndexParams: edge.IntegerIndexParams,
    models.FloatIndexParams: edge.FloatIndexParams,
    models.GeoIndexParams: edge.GeoIndexParams,
    models.BoolIndexParams: edge.BoolIndexParams,
    models.DatetimeIndexParams: edge.DatetimeIndexParams,
    models.UuidIndexParams: edge.UuidIndexParams,
    models.TextIndexParams: edge.TextIndexParams,
}
_DEEP: Final = ("stopwords", "stemmer", "scoring")


def create(field: str, schema: models.PayloadFieldSchema | None) -> edge.UpdateOperation:
    """The operation that makes the index. Raises BadRequestError and NotOfferedError."""
    if schema is None:
        raise BadRequestError("Can't auto-detect field type, please specify `field_schema` in the request")
    if isinstance(schema, models.PayloadSchemaType):
        return edge.UpdateOperation.create_field_index(
            field, getattr(edge.PayloadSchemaType, schema.value.capitalize())
        )
    return edge.UpdateOperation.create_field_index(field, _params(schema))


def described(schema: models.PayloadFieldSchema, points: int) -> models.PayloadIndexInfo:
    """An index as `GET /collections/{name}` shows it."""
    if isinstance(schema, models.PayloadSchemaType):
        return models.PayloadIndexInfo(data_type=schema, points=points)
    return models.PayloadIndexInfo(data_type=models.PayloadSchemaType(schema.type.value), params=schema, points=points)


def _params(schema: models.PayloadSchemaParams) -> Any:
    if isinstance(schema, models.IntegerIndexParams) and schema.lookup is False and schema.range is False:
        mistake = "the 'lookup' and 'range' capabilities can't be both disabled"
        raise InvalidError(f"Validation error in JSON body: [field_schema: Validation error: {mistake}]")
    given = schema.model_dump(exclude_none=True, exclude={"type", "memory", *_DEEP})
    if schema.memory is not None:
        given["memory"] = getattr(edge.Memory, schema.memory.value.capitalize())
    if isinstance(schema, models.TextIndexParams):
        if any(getattr(schema, name, None) is not None for name in _DEEP):
            raise NotOfferedError("stop words, stemmers and scoring of text indexes")
        if schema.tokenizer is not None:
            given["tokenizer"] = getattr(edge.TokenizerType, schema.tokenizer.value.capitalize())
    return _PARAMS[type(schema)](**given)
