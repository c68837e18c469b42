"""The two gRPC services that a program talks to: ResourceMonitor and Engine."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn

import grpc
from google.protobuf import empty_pb2

from engine.deployment import Deployment
from engine.errors import StoppedError
from engine.events import Severity
from engine.execution import Run
from engine.goal import from_read, from_request
from engine.proto import engine_pb2, engine_pb2_grpc, resource_pb2, resource_pb2_grpc
from engine.providers.base import ProviderError
from engine.values import contains_unknown
from engine.wire import from_struct, to_struct

# What a program may use, and, from TRANSFORMS on, what it may not: named so that its use reaches the engine, which
# refuses it by name.
FEATURES: Final = (
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_TRANSFORMS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_INVOKE_TRANSFORMS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_PARAMETERIZATION,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_HOOKS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ERROR_HOOKS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACEMENT_TRIGGER,
    resource_pb2.RESOURCE_MONITOR_FEATURE_STATE_MIGRATIONS,
)
_FEATURE_IDS: Final = frozenset({"secrets", "resourceReferences", "aliasSpecs", "deletedWith", "replaceWith"})
_SEVERITIES: Final[dict[int, Severity]] = {
    engine_pb2.INFO: "info",
    engine_pb2.WARNING: "warning",
    engine_pb2.ERROR: "error",
}
_MAX_MESSAGE: Final = 400 * 1024 * 1024  # bytes, as the SDK's
# A registration holds its thread while its provider works; the number of operations at once is limited elsewhere.
_THREADS: Final = 256

Context = grpc.ServicerContext


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    def __init__(self, deployment: Deployment, run: Run, root: Path, project: str, stack: str, parallel: int) -> None:
        self._deployment, self._run, self._root = deployment, run, root
        self._info = resource_pb2.DeploymentInfo(
            project=project,
            stack=stack,
            organization="organization",
            dryRun=run.dry,
            parallel=parallel,
            supportedFeatures=FEATURES,
        )

    def GetDeploymentInfo(self, request: empty_pb2.Empty, context: Context) -> resource_pb2.DeploymentInfo:  # noqa: N802
        return self._info

    def SupportsFeature(  # noqa: N802
        self, request: resource_pb2.SupportsFeatureRequest, context: Context
    ) -> resource_pb2.SupportsFeatureResponse:
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in _FEATURE_IDS)

    def RegisterResource(  # noqa: N802
        self, request: resource_pb2.RegisterResourceRequest, context: Context
    ) -> resource_pb2.RegisterResourceResponse:
        with self._answering(context):
            done = self._deployment.register(from_request(request, self._root))
        outputs = done.outputs if request.custom else {}  # a component's come later, with its own registration
        if not request.supportsPartialValues:
            outputs = {key: value for key, value in outputs.items() if not contains_unknown(value)}
        reason = self._deployment.left_out(done.urn)
        return resource_pb2.RegisterResourceResponse(
            urn=done.urn,
            id=done.id,
            object=to_struct(outputs),
            result=resource_pb2.FAIL if reason in ("failed", "skipped") else resource_pb2.SUCCESS,
            unknown=reason == "untargeted",
        )

    def RegisterResourceOutputs(  # noqa: N802
        self, request: resource_pb2.RegisterResourceOutputsRequest, context: Context
    ) -> empty_pb2.Empty:
        with self._answering(context):
            self._deployment.register_outputs(request.urn, from_struct(request.outputs))
        return empty_pb2.Empty()

    def Invoke(  # noqa: N802
        self, request: resource_pb2.ResourceInvokeRequest, context: Context
    ) -> resource_pb2.ResourceInvokeResponse:
        arguments = from_struct(request.args)
        with self._answering(context):
            if request.tok == "pulumi:pulumi:getResource":
                return self._resource(arguments)
            if contains_unknown(arguments):
                return resource_pb2.ResourceInvokeResponse(unknown=True)
            result = self._deployment.invoke(request.tok, arguments, request.provider, request.version)
        return resource_pb2.ResourceInvokeResponse(**{"return": to_struct(result)})  # type: ignore[arg-type]

    def _resource(self, arguments: dict[str, Any]) -> resource_pb2.ResourceInvokeResponse:
        """What the SDK asks when it meets a reference to a resource."""
        found = self._deployment.find(arguments["urn"])
        if found is None:
            raise ProviderError(f"the resource {arguments['urn']} is not registered")
        result = to_struct({"urn": found.urn, "id": found.id, "state": found.outputs})
        return resource_pb2.ResourceInvokeResponse(**{"return": result})  # type: ignore[arg-type]

    def ReadResource(  # noqa: N802
        self, request: resource_pb2.ReadResourceRequest, context: Context
    ) -> resource_pb2.ReadResourceResponse:
        with self._answering(context):
            done = self._deployment.read(*from_read(request, self._root))
        left_out = self._deployment.left_out(done.urn)
        return resource_pb2.ReadResourceResponse(
            urn=done.urn,
            id=done.id,
            properties=to_struct(done.outputs),
            result=resource_pb2.FAIL if left_out else resource_pb2.SUCCESS,
        )

    def Call(self, request: resource_pb2.ResourceCallRequest, context: Context) -> NoReturn:  # noqa: N802
        self._refuse(context, f"{request.tok}: calling a method of a resource")

    def RegisterPackage(self, request: Any, context: Context) -> NoReturn:  # noqa: N802
        self._refuse(context, f"package {request.name!r}: parameterising a provider")

    def RegisterStackTransform(self, request: Any, context: Context) -> NoReturn:  # noqa: N802
        self._refuse(context, "a stack transform")

    def RegisterStackInvokeTransform(self, request: Any, context: Context) -> NoReturn:  # noqa: N802
        self._refuse(context, "an invoke transform")

    def RegisterResourceHook(self, request: Any, context: Context) -> NoReturn:  # noqa: N802
        self._refuse(context, f"the resource hook {request.name!r}")

    def RegisterErrorHook(self, request: Any, context: Context) -> NoReturn:  # noqa: N802
        self._refuse(context, f"the error hook {request.name!r}")

    def SignalAndWaitForShutdown(self, request: empty_pb2.Empty, context: Context) -> empty_pb2.Empty:  # noqa: N802
        return empty_pb2.Empty()  # nothing after the program needs it: there are no hooks

    def _refuse(self, context: Context, what: str) -> NoReturn:
        self._run.fail(f"{what} is not supported by the embedded engine; leave it out, or use the pulumi CLI")
        context.abort(grpc.StatusCode.UNAVAILABLE, "the run was stopped")
        raise AssertionError("abort raises")

    @contextmanager
    def _answering(self, context: Context) -> Iterator[None]:
        """Turns every failure into the end of the run, which the SDK takes as the monitor's."""
        try:
            yield
        except StoppedError:
            context.abort(grpc.StatusCode.UNAVAILABLE, "the run was stopped")
        except Exception as error:  # noqa: BLE001 - told to the user; grpc would print it instead
            self._run.fail(str(error) if isinstance(error, ProviderError) else f"{type(error).__name__}: {error}")
            context.abort(grpc.StatusCode.UNAVAILABLE, "the run was stopped")


class Engine(engine_pb2_grpc.EngineServicer):
    """The program's log. What comes after a failure is its echo and is dropped."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.logged_error = False

    def Log(self, request: engine_pb2.LogRequest, context: Context) -> empty_pb2.Empty:  # noqa: N802
        severity = _SEVERITIES.get(request.severity)
        if severity and not request.ephemeral and not self._run.stop.is_set():
            self.logged_error = self.logged_error or severity == "error"
            if severity == "error":
                self._run.failed = True
            self._run.reporter.message(severity, request.message, request.urn)
        return empty_pb2.Empty()

    def RequirePulumiVersion(self, request: Any, context: Context) -> Any:  # noqa: N802
        return engine_pb2.RequirePulumiVersionResponse()


@contextmanager
def serve(monitor: Monitor, engine: Engine) -> Iterator[str]:
    """The address that both listen on, on this machine only."""
    pool = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="monitor")
    server = grpc.server(
        pool,
        options=[("grpc.max_receive_message_length", _MAX_MESSAGE), ("grpc.max_send_message_length", _MAX_MESSAGE)],
    )
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
    engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(grace=None).wait()
        # Threads that are still in a provider's call are waited for: what they do must be recorded.
        pool.shutdown(wait=True)
