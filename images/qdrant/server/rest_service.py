"""REST endpoints about the server itself."""

from starlette.responses import JSONResponse, PlainTextResponse, Response

from images.qdrant.server import VERSION
from images.qdrant.server.access import Need
from images.qdrant.server.errors import NotOfferedError
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


def routes(service: Service, metrics: Metrics) -> Routes:
    def text(call: Call) -> Response:
        call.access.check_global(Need.READ)
        return PlainTextResponse(metrics.text(service.storage))

    def telemetry(call: Call) -> None:
        call.access.check_global(Need.READ)
        raise NotOfferedError("telemetry")

    return [("GET", "/metrics", text), ("GET", "/telemetry", telemetry)]
