"""The gRPC API: which message a method takes, keys and tokens, and errors as statuses."""

import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass
from pydantic import ValidationError

from images.qdrant.server.access import Access
from images.qdrant.server.authentication import Authentication
from images.qdrant.server.errors import ApiError
from images.qdrant.server.metrics import Metrics
from images.qdrant.server.settings import Certificate

Method = Callable[[Access, Any], Any]
Methods = Mapping[str, Method]

THREADS: Final = 16  # requests at once; the engine itself works on one at a time
MESSAGE_LIMIT: Final = 32 * 1024 * 1024  # bytes, Qdrant's max_request_size_mb
_REST_PLACE: Final = re.compile(r" in (JSON body|path parameters):")
SERVING: Final = b"\x08\x01"  # grpc.health.v1.HealthCheckResponse(status=SERVING)


class Server:
    """Listens from `start` to `stop`. Each service is a descriptor and its methods; others are unimplemented."""

    def __init__(
        self,
        services: list[tuple[ServiceDescriptor, Methods]],
        open_services: list[tuple[ServiceDescriptor, Methods]],
        authentication: Authentication,
        metrics: Metrics,
    ) -> None:
        self._authentication, self._metrics = authentication, metrics
        limits = [("grpc.max_receive_message_length", MESSAGE_LIMIT), ("grpc.max_send_message_length", -1)]
        self._server = grpc.server(ThreadPoolExecutor(THREADS), options=[*limits, ("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers(
            [
                *(self._handlers(*each, closed=True) for each in services),
                *(self._handlers(*each, closed=False) for each in open_services),
                grpc.method_handlers_generic_handler(
                    "grpc.health.v1.Health",
                    {"Check": grpc.unary_unary_rpc_method_handler(lambda request, context: SERVING)},
                ),
            ]
        )

    def start(self, address: str, tls: Certificate | None = None) -> None:
        """`address` is `host:port`."""
        if tls is None:
            self._server.add_insecure_port(address)
        else:
            pair = (tls.key.read_bytes(), tls.certificate.read_bytes())
            self._server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
        self._server.start()

    def stop(self) -> None:
        """Waits for the calls that are under way."""
        self._server.stop(grace=5).wait()

    def _handlers(self, service: ServiceDescriptor, methods: Methods, *, closed: bool) -> grpc.GenericRpcHandler:
        def handler(name: str, method: Method) -> "grpc.RpcMethodHandler[Any, Any]":
            form = service.methods_by_name[name].input_type
            return grpc.unary_unary_rpc_method_handler(
                self._answering(f"/{service.full_name}/{name}", method, closed),
                request_deserializer=GetMessageClass(form).FromString,
                response_serializer=lambda answer: answer.SerializeToString(),
            )

        return grpc.method_handlers_generic_handler(
            service.full_name, {name: handler(name, method) for name, method in methods.items()}
        )

    def _answering(self, path: str, method: Method, closed: bool) -> Callable[[Any, grpc.ServicerContext], Any]:
        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            started = time.perf_counter()
            headers = {name: value for name, value in context.invocation_metadata() if isinstance(value, str)}
            try:
                access = self._authentication.access(headers) if closed else Access(())
                response = method(access, request)
            except ApiError as error:
                self._fail(path, context, error.code, _REST_PLACE.sub(" in body:", str(error)))
            except (ValidationError, ValueError) as error:
                # The client library's conversions say so of what has no counterpart in the REST API.
                self._fail(path, context, grpc.StatusCode.INVALID_ARGUMENT, str(error).splitlines()[0])
            if "time" in response.DESCRIPTOR.fields_by_name:
                response.time = time.perf_counter() - started
            self._metrics.count("grpc", path, 0)
            return response

        return answer

    def _fail(self, path: str, context: grpc.ServicerContext, code: grpc.StatusCode, text: str) -> None:
        self._metrics.count("grpc", path, code.value[0])
        context.abort(code, text)
