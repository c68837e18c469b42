"""gRPC methods of points, in terms of the REST API's models."""

from collections.abc import Callable
from typing import Any, Final

from qdrant_client import grpc
from qdrant_client.conversions.conversion import GrpcToRest, RestToGrpc, grpc_to_payload
from qdrant_client.http import models

from images.qdrant.server.access import Access
from images.qdrant.server.errors import MalformedError
from images.qdrant.server.grpc_server import Method, Methods
from images.qdrant.server.service import Service

# In the order of the enumeration FieldType.
_TYPES: Final = ("keyword", "integer", "float", "geo", "text", "bool", "datetime", "uuid")


def methods(service: Service) -> Methods:
    def change(convert: Callable[[Any], models.UpdateOperation]) -> Method:
        def method(access: Access, request: Any) -> Any:
            results = service.change(access, request.collection_name, [convert(request)], wait=request.wait)
            return grpc.PointsOperationResponse(result=_status(results[0]))

        return method

    def batch(access: Access, request: Any) -> Any:
        operations = [GrpcToRest.convert_points_update_operation(each) for each in request.operations]
        results = service.change(access, request.collection_name, operations, wait=request.wait)
        return grpc.UpdateBatchResponse(result=[_status(each) for each in results])

    def index(access: Access, request: Any) -> Any:
        asked = models.CreateFieldIndex(field_name=request.field_name, field_schema=_schema(request))
        result = service.index(access, request.collection_name, asked, wait=request.wait)
        return grpc.PointsOperationResponse(result=_status(result))

    def drop_index(access: Access, request: Any) -> Any:
        result = service.drop_index(access, request.collection_name, request.field_name, wait=request.wait)
        return grpc.PointsOperationResponse(result=_status(result))

    def points(access: Access, request: Any) -> Any:
        asked = models.PointRequest(ids=_ids(request.ids), **_selectors(request))
        found = service.points(access, request.collection_name, asked)
        return grpc.GetResponse(result=_records(found))

    def scroll(access: Access, request: Any) -> Any:
        asked = models.ScrollRequest(
            offset=_given(request, "offset", GrpcToRest.convert_point_id),
            limit=_given(request, "limit", int),
            filter=_given(request, "filter", GrpcToRest.convert_filter),
            order_by=_given(request, "order_by", GrpcToRest.convert_order_by),
            **_selectors(request),
        )
        found = service.scroll(access, request.collection_name, asked)
        following = found.next_page_offset
        return grpc.ScrollResponse(
            result=_records(found.points),
            next_page_offset=None if following is None else RestToGrpc.convert_extended_point_id(following),
        )

    def count(access: Access, request: Any) -> Any:
        asked = models.CountRequest(
            filter=_given(request, "filter", GrpcToRest.convert_filter), exact=_given(request, "exact", bool)
        )
        found = service.count(access, request.collection_name, asked)
        return grpc.CountResponse(result=grpc.CountResult(count=found.count))

    def facet(access: Access, request: Any) -> Any:
        asked = models.FacetRequest(
            key=request.key,
            filter=_given(request, "filter", GrpcToRest.convert_filter),
            limit=_given(request, "limit", int),
            exact=_given(request, "exact", bool),
        )
        found = service.facet(access, request.collection_name, asked)
        return grpc.FacetResponse(hits=[RestToGrpc.convert_facet_value_hit(each) for each in found.hits])

    def query(access: Access, request: Any) -> Any:
        asked = [GrpcToRest.convert_query_points(request)]
        return grpc.QueryResponse(result=_scored(service.query(access, request.collection_name, asked)[0].points))

    def queries(access: Access, request: Any) -> Any:
        asked = [GrpcToRest.convert_query_points(each) for each in request.query_points]
        found = service.query(access, request.collection_name, asked)
        return grpc.QueryBatchResponse(result=[grpc.BatchResult(result=_scored(each.points)) for each in found])

    def groups(access: Access, request: Any) -> Any:
        inner = GrpcToRest.convert_query_points(_plain_query(request))
        fields = {name: value for name, value in inner if name in models.QueryGroupsRequest.model_fields}
        asked = models.QueryGroupsRequest.model_construct(
            **fields,
            group_by=request.group_by,
            group_size=_given(request, "group_size", int),
            with_lookup=_given(request, "with_lookup", GrpcToRest.convert_with_lookup),
        )
        found = service.query_groups(access, request.collection_name, asked)
        return grpc.QueryGroupsResponse(result=RestToGrpc.convert_groups_result(found))

    return {
        "Upsert": change(_upsert),
        "Delete": change(lambda request: models.DeleteOperation(delete=_selected(request.points))),
        "SetPayload": change(lambda request: models.SetPayloadOperation(set_payload=_payload(request))),
        "OverwritePayload": change(
            lambda request: models.OverwritePayloadOperation(overwrite_payload=_payload(request))
        ),
        "DeletePayload": change(_delete_payload),
        "ClearPayload": change(lambda request: models.ClearPayloadOperation(clear_payload=_selected(request.points))),
        "UpdateVectors": change(_update_vectors),
        "DeleteVectors": change(_delete_vectors),
        "UpdateBatch": batch,
        "CreateFieldIndex": index,
        "DeleteFieldIndex": drop_index,
        "Get": points,
        "Scroll": scroll,
        "Count": count,
        "Facet": facet,
        "Query": query,
        "QueryBatch": queries,
        "QueryGroups": groups,
    }


def _upsert(request: Any) -> models.UpdateOperation:
    return models.UpsertOperation.model_construct(
        upsert=models.PointsList.model_construct(
            points=[GrpcToRest.convert_point_struct(each) for each in request.points],
            update_filter=_given(request, "update_filter", GrpcToRest.convert_filter),
            update_mode=_given(request, "update_mode", GrpcToRest.convert_update_mode),
        )
    )


def _delete_payload(request: Any) -> models.UpdateOperation:
    return models.DeletePayloadOperation(
        delete_payload=models.DeletePayload(keys=list(request.keys), **_selection(request.points_selector))
    )


def _update_vectors(request: Any) -> models.UpdateOperation:
    return models.UpdateVectorsOperation(
        update_vectors=models.UpdateVectors(
            points=[GrpcToRest.convert_point_vectors(each) for each in request.points],
            update_filter=_given(request, "update_filter", GrpcToRest.convert_filter),
        )
    )


def _delete_vectors(request: Any) -> models.UpdateOperation:
    return models.DeleteVectorsOperation(
        delete_vectors=models.DeleteVectors(vector=list(request.vectors.names), **_selection(request.points_selector))
    )


def _payload(request: Any) -> models.SetPayload:
    return models.SetPayload(
        payload=grpc_to_payload(request.payload),
        key=_given(request, "key", str),
        **_selection(request.points_selector),
    )


def _selected(selector: Any) -> Any:
    if selector.WhichOneof("points_selector_one_of") is None:
        raise MalformedError("PointsSelector is missing")
    return GrpcToRest.convert_points_selector(selector)


def _selection(selector: Any) -> dict[str, Any]:
    """`points` or `filter`, for requests that have them beside other fields."""
    found = _selected(selector)
    return {"points": found.points} if isinstance(found, models.PointIdsList) else {"filter": found.filter}


def _selectors(request: Any) -> dict[str, Any]:
    # In gRPC nothing comes back that was not asked for.
    return {
        "with_payload": _given(request, "with_payload", GrpcToRest.convert_with_payload_selector) or False,
        "with_vector": _given(request, "with_vectors", GrpcToRest.convert_with_vectors_selector) or False,
    }


def _schema(request: Any) -> Any:
    if request.HasField("field_index_params"):
        return GrpcToRest.convert_payload_schema_params(request.field_index_params)
    return models.PayloadSchemaType(_TYPES[request.field_type]) if request.HasField("field_type") else None


def _status(result: models.UpdateResult) -> Any:
    done = result.status is models.UpdateStatus.COMPLETED
    status = grpc.UpdateStatus.Completed if done else grpc.UpdateStatus.Acknowledged
    return grpc.UpdateResult(operation_id=result.operation_id, status=status)


def _scored(points: list[models.ScoredPoint]) -> list[Any]:
    return [RestToGrpc.convert_scored_point(each) for each in points]


def _records(points: list[models.Record]) -> list[Any]:
    # The client's conversion takes no point without a payload.
    return [RestToGrpc.convert_record(each.model_copy(update={"payload": each.payload or {}})) for each in points]


def _ids(ids: Any) -> list[Any]:
    return [GrpcToRest.convert_point_id(each) for each in ids]


def _given(request: Any, field: str, convert: Any) -> Any:
    return convert(getattr(request, field)) if request.HasField(field) else None


def _plain_query(request: Any) -> Any:
    """The fields that a query of groups shares with a plain one."""
    plain = grpc.QueryPoints()
    for field, value in request.ListFields():
        if field.name not in plain.DESCRIPTOR.fields_by_name:
            continue
        if isinstance(value, str | int | float):
            setattr(plain, field.name, value)
        else:
            getattr(plain, field.name).MergeFrom(value)
    return plain
