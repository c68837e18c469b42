"""REST endpoints of points."""

from typing import Any

from pydantic import TypeAdapter
from qdrant_client.http import models

from images.qdrant.server.errors import BadInputError, MalformedError
from images.qdrant.server.ids import parsed_id
from images.qdrant.server.rest import Call, Handler, Routes, within
from images.qdrant.server.rest_collections import COLLECTION
from images.qdrant.server.service import Service

POINTS = f"{COLLECTION}/points"

_INSERT: TypeAdapter[Any] = TypeAdapter(models.PointInsertOperations)
_SELECT: TypeAdapter[Any] = TypeAdapter(models.PointsSelector)
_SET = TypeAdapter(models.SetPayload)
_REMOVE = TypeAdapter(models.DeletePayload)
_VECTORS = TypeAdapter(models.UpdateVectors)
_DROP_VECTORS = TypeAdapter(models.DeleteVectors)
_BATCH = TypeAdapter(models.UpdateOperations)
_GET = TypeAdapter(models.PointRequest)
_SCROLL = TypeAdapter(models.ScrollRequest)
_COUNT = TypeAdapter(models.CountRequest)
_FACET = TypeAdapter(models.FacetRequest)
_QUERY = TypeAdapter(models.QueryRequest)
_QUERIES = TypeAdapter(models.QueryRequestBatch)
_GROUPS = TypeAdapter(models.QueryGroupsRequest)


def routes(service: Service) -> Routes:
    def change(form: TypeAdapter[Any], operation: Any, field: str) -> Handler:
        """An endpoint that takes `form` and is one operation of a batch."""

        def handler(call: Call) -> models.UpdateResult:
            return changed(call, [operation.model_construct(**{field: call.model(form)})])[0]

        return handler

    def changed(call: Call, operations: list[Any]) -> list[models.UpdateResult]:
        return service.change(call.access, call.collection, operations, wait=call.flag("wait", default=False))

    def batch(call: Call) -> list[models.UpdateResult]:
        return changed(call, call.model(_BATCH).operations)

    def point(call: Call) -> models.Record:
        try:
            id_ = parsed_id(call.path["id"])
        except MalformedError:
            raise BadInputError(f'Can not recognize "{call.path["id"]}" as point id') from None
        return service.point(call.access, call.collection, id_)

    def scroll(call: Call) -> dict[str, Any]:
        found = service.scroll(call.access, call.collection, call.model(_SCROLL))
        return {"points": found.points, "next_page_offset": found.next_page_offset}

    def query(call: Call) -> models.QueryResponse:
        return service.query(call.access, call.collection, [call.model(_QUERY)])[0]

    def queries(call: Call) -> list[models.QueryResponse]:
        return service.query(call.access, call.collection, call.model(_QUERIES).searches)

    return [
        ("PUT", POINTS, change(_INSERT, models.UpsertOperation, "upsert")),
        ("POST", POINTS, lambda call: service.points(call.access, call.collection, call.model(_GET))),
        ("POST", f"{POINTS}/batch", batch),
        ("POST", f"{POINTS}/delete", change(_SELECT, models.DeleteOperation, "delete")),
        ("POST", f"{POINTS}/payload", change(_SET, models.SetPayloadOperation, "set_payload")),
        ("PUT", f"{POINTS}/payload", change(_SET, models.OverwritePayloadOperation, "overwrite_payload")),
        ("POST", f"{POINTS}/payload/delete", change(_REMOVE, models.DeletePayloadOperation, "delete_payload")),
        ("POST", f"{POINTS}/payload/clear", change(_SELECT, models.ClearPayloadOperation, "clear_payload")),
        ("PUT", f"{POINTS}/vectors", change(_VECTORS, models.UpdateVectorsOperation, "update_vectors")),
        ("POST", f"{POINTS}/vectors/delete", change(_DROP_VECTORS, models.DeleteVectorsOperation, "delete_vectors")),
        ("POST", f"{POINTS}/scroll", within("scroll_request", scroll)),
        (
            "POST",
            f"{POINTS}/count",
            within("count_request", lambda call: service.count(call.access, call.collection, call.model(_COUNT))),
        ),
        ("POST", f"{POINTS}/query", within("internal", query)),
        ("POST", f"{POINTS}/query/batch", queries),
        (
            "POST",
            f"{POINTS}/query/groups",
            within(
                "search_group_request.group_request",
                lambda call: service.query_groups(call.access, call.collection, call.model(_GROUPS)),
            ),
        ),
        (
            "POST",
            f"{COLLECTION}/facet",
            within("facet_request", lambda call: service.facet(call.access, call.collection, call.model(_FACET))),
        ),
        ("GET", f"{POINTS}/{{id}}", point),
    ]
