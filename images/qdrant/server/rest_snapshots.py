"""REST endpoints of snapshots."""

from pydantic import TypeAdapter
from qdrant_client.http import models
from starlette.responses import FileResponse, PlainTextResponse, Response

from images.qdrant.server.access import Need
from images.qdrant.server.errors import NotFoundError, NotOfferedError
from images.qdrant.server.rest import Call, Routes
from images.qdrant.server.rest_collections import COLLECTION
from images.qdrant.server.snapshots import Snapshots

SNAPSHOTS = f"{COLLECTION}/snapshots"

_RECOVER = TypeAdapter(models.SnapshotRecover)


def routes(snapshots: Snapshots) -> Routes:
    def download(call: Call) -> Response:
        try:
            path = snapshots.path(call.access, call.collection, call.path["snapshot_name"])
        except NotFoundError as error:
            return PlainTextResponse(str(error), error.status)
        return FileResponse(path, media_type="application/octet-stream", filename=path.name)

    return [
        ("GET", SNAPSHOTS, lambda call: snapshots.names(call.access, call.collection)),
        ("POST", SNAPSHOTS, lambda call: snapshots.create(call.access, call.collection)),
        (
            "PUT",
            f"{SNAPSHOTS}/recover",
            lambda call: snapshots.recover(call.access, call.collection, call.model(_RECOVER)),
        ),
        ("GET", f"{SNAPSHOTS}/{{snapshot_name}}", download),
        (
            "DELETE",
            f"{SNAPSHOTS}/{{snapshot_name}}",
            lambda call: snapshots.delete(call.access, call.collection, call.path["snapshot_name"]),
        ),
        ("POST", f"{SNAPSHOTS}/upload", _upload),
        *((method, "/snapshots", _full) for method in ("GET", "POST")),
        *((method, "/snapshots/{snapshot_name}", _full) for method in ("GET", "DELETE")),
    ]


def _full(call: Call) -> None:
    call.access.check_global(Need.READ if call.request.method == "GET" else Need.MANAGE)
    raise NotOfferedError("snapshots of the whole storage; make one of each collection")


def _upload(call: Call) -> None:
    raise NotOfferedError("upload of a snapshot; recover from an address, or from a file in the snapshots' folder")
