"""gRPC methods of collections, aliases and the health check, in terms of the REST API's models."""

from typing import Any

from qdrant_client import grpc
from qdrant_client.conversions.conversion import GrpcToRest, RestToGrpc, grpc_to_payload
from qdrant_client.http import models

from images.qdrant.server import VERSION
from images.qdrant.server.access import Access
from images.qdrant.server.grpc_server import Methods
from images.qdrant.server.service import Service

TITLE = "strata stand-in for qdrant - vector search engine"


def methods(service: Service) -> Methods:
    def info(access: Access, request: Any) -> Any:
        found = service.info(access, request.collection_name)
        return grpc.GetCollectionInfoResponse(result=RestToGrpc.convert_collection_info(found))

    def names(access: Access, request: Any) -> Any:
        found = service.collections(access).collections
        return grpc.ListCollectionsResponse(collections=[grpc.CollectionDescription(name=each.name) for each in found])

    def create(access: Access, request: Any) -> Any:
        return _done(service.create(access, request.collection_name, _creation(request)))

    def update(access: Access, request: Any) -> Any:
        change = GrpcToRest.convert_update_collection(request)
        return _done(service.update(access, request.collection_name, change))

    def delete(access: Access, request: Any) -> Any:
        return _done(service.delete(access, request.collection_name))

    def exists(access: Access, request: Any) -> Any:
        found = service.exists(access, request.collection_name)
        return grpc.CollectionExistsResponse(result=grpc.CollectionExists(exists=found.exists))

    def change_aliases(access: Access, request: Any) -> Any:
        actions = [GrpcToRest.convert_alias_operations(each) for each in request.actions]
        return _done(service.change_aliases(access, actions))

    def aliases(access: Access, request: Any) -> Any:
        return _aliases(service.aliases(access))

    def aliases_of_one(access: Access, request: Any) -> Any:
        return _aliases(service.aliases(access, request.collection_name))

    return {
        "Get": info,
        "List": names,
        "Create": create,
        "Update": update,
        "Delete": delete,
        "CollectionExists": exists,
        "UpdateAliases": change_aliases,
        "ListAliases": aliases,
        "ListCollectionAliases": aliases_of_one,
    }


def health() -> Methods:
    """What anybody may ask."""
    return {"HealthCheck": lambda access, request: grpc.HealthCheckReply(title=TITLE, version=VERSION)}


def _creation(request: Any) -> models.CreateCollection:
    def given(field: str, convert: Any) -> Any:
        return convert(getattr(request, field)) if request.HasField(field) else None

    return models.CreateCollection(
        vectors=given("vectors_config", GrpcToRest.convert_vectors_config),
        sparse_vectors=given("sparse_vectors_config", GrpcToRest.convert_sparse_vector_config),
        hnsw_config=given("hnsw_config", GrpcToRest.convert_hnsw_config_diff),
        wal_config=given("wal_config", GrpcToRest.convert_wal_config_diff),
        optimizers_config=given("optimizers_config", GrpcToRest.convert_optimizers_config_diff),
        quantization_config=given("quantization_config", GrpcToRest.convert_quantization_config),
        strict_mode_config=given("strict_mode_config", GrpcToRest.convert_strict_mode_config),
        shard_number=given("shard_number", int),
        replication_factor=given("replication_factor", int),
        write_consistency_factor=given("write_consistency_factor", int),
        on_disk_payload=given("on_disk_payload", bool),
        metadata=grpc_to_payload(request.metadata) or None,
    )


def _done(result: bool) -> Any:
    return grpc.CollectionOperationResponse(result=result)


def _aliases(found: models.CollectionsAliasesResponse) -> Any:
    return grpc.ListAliasesResponse(aliases=[RestToGrpc.convert_alias_description(each) for each in found.aliases])
