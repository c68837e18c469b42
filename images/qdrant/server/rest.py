"""The REST API as an ASGI application: routes, keys and tokens, and Qdrant's envelope around every answer."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import unquote

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from images.qdrant.server.access import Access
from images.qdrant.server.authentication import Authentication
from images.qdrant.server.config import at_least
from images.qdrant.server.errors import ApiError, InternalError, InvalidError, MalformedError
from images.qdrant.server.metrics import Metrics

T = TypeVar("T")

BODY_LIMIT: Final = 32 * 1024 * 1024  # bytes, Qdrant's max_request_size_mb


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request: whose, where, and what it carries."""

    access: Access
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    request: Request

    @property
    def collection(self) -> str:
        return self.path["collection_name"]

    def model(self, form: TypeAdapter[T]) -> T:
        """The body in the form that the endpoint takes. Raises MalformedError."""
        try:
            return form.validate_json(_canonical(self.body) or b"{}")
        except ValidationError as error:
            raise MalformedError(f"Format error in JSON body: {_first(error)}") from None

    def flag(self, name: str, *, default: bool) -> bool:
        """A truth value of the query. Raises MalformedError."""
        value = self.query.get(name)
        if value not in (None, "true", "false"):
            raise MalformedError("Deserialize error in query parameters: provided string was not `true` or `false`")
        return default if value is None else value == "true"


Handler = Callable[[Call], Any]
Routes = list[tuple[str, str, Handler]]
"""Method, path and what answers. An answer that is a Response goes out as it is."""


def within(place: str, handler: Handler) -> Handler:
    """`handler`, whose fields Qdrant names with `place` before them where it says that one is invalid."""

    def answer(call: Call) -> Any:
        try:
            return handler(call)
        except InvalidError as error:
            raise InvalidError(str(error).replace(": [", f": [{place}.", 1)) from None

    return answer


def application(routes: Routes, open_routes: Routes, authentication: Authentication, metrics: Metrics) -> Starlette:
    """`open_routes` are answered to everybody, `routes` to whom `authentication` knows."""

    def route(method: str, path: str, handler: Handler, *, closed: bool) -> Route:
        async def endpoint(request: Request) -> Response:
            started = time.perf_counter()
            body = await _body(request)
            answer = await run_in_threadpool(answered, request, body, handler, closed, started)
            metrics.count("rest", f"{method} {path}", answer.status_code)
            return answer

        return Route(path, endpoint, methods=[method])

    def answered(request: Request, body: bytes | ApiError, handler: Handler, closed: bool, started: float) -> Response:
        try:
            access = authentication.access(request.headers) if closed else Access(())
            if isinstance(body, ApiError):
                raise body
            if "timeout" in request.query_params:
                _check_timeout(request.query_params["timeout"])
            path = {name: unquote(value) for name, value in request.path_params.items()}
            result = handler(Call(access=access, path=path, query=request.query_params, body=body, request=request))
        except ApiError as error:
            return failure(error, started)
        if isinstance(result, Response):
            return result
        return _json(200, {"result": result, "status": "ok", "time": time.perf_counter() - started})

    async def unknown(request: Request, error: Exception) -> Response:
        try:
            await run_in_threadpool(authentication.access, request.headers)
        except ApiError as refused:
            return failure(refused, time.perf_counter())
        return Response(status_code=404)

    async def broken(request: Request, error: Exception) -> Response:
        return failure(InternalError(f"{type(error).__name__}"), time.perf_counter())

    return _Application(
        routes=[
            *(route(*each, closed=False) for each in open_routes),
            *(route(*each, closed=True) for each in routes),
        ],
        exception_handlers={404: unknown, 405: unknown, 500: broken},
    )


class _Application(Starlette):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Routes see the path as it was sent: a name with an encoded slash in it is one part, which is then refused.
        if scope["type"] == "http":
            scope = {**scope, "path": scope["raw_path"].decode("ascii")}
        await super().__call__(scope, receive, send)


def failure(error: ApiError, started: float) -> Response:
    """An error as Qdrant sends it."""
    if error.plain:
        return PlainTextResponse(str(error), error.status)
    envelope = {"status": {"error": str(error)}, "time": time.perf_counter() - started}
    return _json(error.status, envelope)


def _json(status: int, content: Any) -> Response:
    return Response(to_json(content, exclude_none=True), status, media_type="application/json")


async def _body(request: Request) -> bytes | ApiError:
    """The whole body, unless it is a form, which its handler reads. Too large a one is an error."""
    if request.headers.get("content-type", "").startswith("multipart/"):
        return b""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > BODY_LIMIT:
            return MalformedError(f"JSON payload is larger than allowed (limit: {BODY_LIMIT} bytes).")
    return bytes(content)


def _canonical(body: bytes) -> bytes:
    """Qdrant knows `with_vector` by a second name, which the client library's forms do not have."""
    if b'"with_vectors"' not in body:
        return body
    try:
        content = from_json(body)
    except ValueError:
        return body
    for each in [content, *(content.get("searches") or [])] if isinstance(content, dict) else []:
        if isinstance(each, dict) and "with_vectors" in each:
            each.setdefault("with_vector", each.pop("with_vectors"))
    return to_json(content)


def _check_timeout(value: str) -> None:
    if not value.isdecimal():
        raise MalformedError("Deserialize error in query parameters: invalid digit found in string")
    at_least("timeout", int(value), 1, "query parameters")


def _first(error: ValidationError) -> str:
    """The first mistake, and where: of a value that has several allowed forms, the one that came furthest."""
    details = max(error.errors(include_url=False, include_input=False), key=lambda each: len(each["loc"]))
    where = ".".join(str(part) for part in details["loc"] if isinstance(part, int) or part.islower())
    return f"{details['msg']} at {where}" if where else str(details["msg"])
