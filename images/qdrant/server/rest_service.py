"""REST endpoints about the server itself."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from starlette.responses import JSONResponse, PlainTextResponse, Response

from images.qdrant.server import VERSION
from images.qdrant.server.access import Need
from images.qdrant.server.metrics import Metrics
from images.qdrant.server.rest import Call, Routes
from images.qdrant.server.service import Service

TITLE = "strata stand-in for qdrant - vector search engine"


def open_routes() -> Routes:
    """Those that need no key."""
    return [
        ("GET", "/", lambda call: JSONResponse({"title": TITLE, "version": VERSION})),
        *(("GET", path, lambda call: PlainTextResponse("healthz check passed")) for path in ("/healthz", "/livez")),
        ("GET", "/readyz", lambda call: PlainTextResponse("all shards are ready")),
    ]


def routes(service: Service, metrics: Metrics, *, tokens: bool) -> Routes:
    """`tokens`: whether the server takes them."""
    about = {
        "id": str(uuid4()),
        "app": {"name": "qdrant", "version": VERSION, "jwt_rbac": tokens, "startup": datetime.now(UTC).isoformat()},
    }

    def text(call: Call) -> Response:
        call.access.check_global(Need.READ)
        return PlainTextResponse(metrics.text(service.storage))

    def telemetry(call: Call) -> dict[str, Any]:
        return {**about, "collections": {"number_of_collections": len(service.collections(call.access).collections)}}

    def cluster(call: Call) -> dict[str, str]:
        call.access.check_global(Need.READ)
        return {"status": "disabled"}

    return [
        ("GET", "/metrics", text),
        ("GET", "/telemetry", telemetry),
        ("GET", "/cluster", cluster),
        ("GET", "/issues", lambda call: {"issues": []}),
    ]
