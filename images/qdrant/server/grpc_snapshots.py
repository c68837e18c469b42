"""gRPC methods of snapshots, in terms of the REST API's models."""

from datetime import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from qdrant_client import grpc
from qdrant_client.http import models

from images.qdrant.server.access import Access
from images.qdrant.server.grpc_server import Methods
from images.qdrant.server.snapshots import Snapshots


def methods(snapshots: Snapshots) -> Methods:
    def create(access: Access, request: Any) -> Any:
        made = snapshots.create(access, request.collection_name)
        return grpc.CreateSnapshotResponse(snapshot_description=_described(made))

    def names(access: Access, request: Any) -> Any:
        found = snapshots.names(access, request.collection_name)
        return grpc.ListSnapshotsResponse(snapshot_descriptions=[_described(each) for each in found])

    def delete(access: Access, request: Any) -> Any:
        snapshots.delete(access, request.collection_name, request.snapshot_name)
        return grpc.DeleteSnapshotResponse()

    return {"Create": create, "List": names, "Delete": delete}


def _described(snapshot: models.SnapshotDescription) -> Any:
    created = Timestamp()
    created.FromDatetime(datetime.fromisoformat(snapshot.creation_time or "1970-01-01T00:00:00"))
    return grpc.SnapshotDescription(
        name=snapshot.name, creation_time=created, size=snapshot.size, checksum=snapshot.checksum
    )
