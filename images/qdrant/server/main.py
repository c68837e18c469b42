"""Puts the server together and runs it. Settings come from the environment (see `settings`)."""

import os
import sys
import threading

import uvicorn
from qdrant_client.grpc import collections_service_pb2, points_service_pb2, qdrant_pb2, snapshots_service_pb2

from images.qdrant.server import (
    VERSION,
    grpc_collections,
    grpc_points,
    grpc_snapshots,
    rest,
    rest_collections,
    rest_points,
    rest_service,
    rest_snapshots,
)
from images.qdrant.server import grpc_server as grpc
from images.qdrant.server.authentication import Authentication
from images.qdrant.server.lock import LockedError, locked
from images.qdrant.server.metrics import Metrics
from images.qdrant.server.service import Service
from images.qdrant.server.settings import SettingError, Settings, from_environment
from images.qdrant.server.snapshots import Snapshots
from images.qdrant.server.storage import Storage


def main() -> int:
    """Serves until SIGTERM or SIGINT; the exit code says whether it could."""
    try:
        settings = from_environment(os.environ)
        with locked(settings.storage_path):
            serve(settings)
    except (SettingError, LockedError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


def serve(settings: Settings) -> None:
    """Opens the storage, answers, and flushes at the end."""
    _say(f"This is a stand-in for Qdrant, version {VERSION}: Qdrant's engine, a part of its API, one process.")
    if not (settings.api_key or settings.read_only_api_key):
        _say("No API key is set: everybody who reaches the ports may do everything.")
    storage, metrics = Storage(settings.storage_path), Metrics()
    service, snapshots = Service(storage), Snapshots(storage, settings.snapshots_path)
    authentication = Authentication(settings, service.has_value)
    application = rest.application(
        [
            *rest_collections.routes(service),
            *rest_points.routes(service),
            *rest_snapshots.routes(snapshots),
            *rest_service.routes(service, metrics, tokens=settings.jwt_rbac),
        ],
        rest_service.open_routes(),
        authentication,
        metrics,
    )
    rpc = grpc.Server(
        [
            (collections_service_pb2.DESCRIPTOR.services_by_name["Collections"], grpc_collections.methods(service)),
            (points_service_pb2.DESCRIPTOR.services_by_name["Points"], grpc_points.methods(service)),
            (snapshots_service_pb2.DESCRIPTOR.services_by_name["Snapshots"], grpc_snapshots.methods(snapshots)),
        ],
        [(qdrant_pb2.DESCRIPTOR.services_by_name["Qdrant"], grpc_collections.health())],
        authentication,
        metrics,
    )
    stop = threading.Event()
    flusher = threading.Thread(target=storage.flush_forever, args=(settings.flush_interval, stop), daemon=True)
    flusher.start()
    # Callers' names, filters and tokens stay out of the log, so there is none of requests.
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            settings.host,
            settings.http_port,
            log_level="warning",
            access_log=False,
            ssl_certfile=settings.tls.certificate if settings.tls else None,
            ssl_keyfile=settings.tls.key if settings.tls else None,
        )
    )
    try:
        _say(f"REST on {settings.host}:{settings.http_port}, {len(storage.names())} collections")
        if settings.grpc_port:
            rpc.start(f"{settings.host}:{settings.grpc_port}", settings.tls)
        server.run()
    finally:
        rpc.stop()
        stop.set()
        flusher.join()
        storage.close()


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201
