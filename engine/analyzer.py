"""One policy pack, spoken to through the SDK's Analyzer protocol."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2

from engine.errors import EngineError, StoppedError
from engine.findings import Policy
from engine.pack_process import PackError, PackProcess, Subject
from engine.policy_config import reconcile
from engine.policy_pack import PolicyPack
from engine.proto import analyzer_pb2, analyzer_pb2_grpc

_MAX_MESSAGE: Final = 400 * 1024 * 1024  # bytes, as the SDK's
_POLL: Final = 0.2  # seconds
_POLICY_RAISED: Final = "Exception calling application: "  # what gRPC puts before a policy's own error


@dataclass(frozen=True)
class _Connected:
    stub: analyzer_pb2_grpc.AnalyzerStub
    info: analyzer_pb2.AnalyzerInfo
    remediates: bool


class Analyzer:
    """Connects and configures in the background. Whatever asks waits for that.

    Raises PackError, and StoppedError when the run is cancelled meanwhile.
    """

    def __init__(
        self, process: PackProcess, subject: Subject, say: Callable[[str], None], cancelled: Callable[[], bool]
    ) -> None:
        """`cancelled` tells whether to give up a question that is not answered yet: a policy may wait forever."""
        self._process, self._say, self._cancelled = process, say, cancelled
        self._connected: Future[_Connected] = Future()
        process.run(subject, say)
        threading.Thread(target=self._connect, args=(subject,), name="policy pack", daemon=True).start()

    @property
    def pack(self) -> PolicyPack:
        return self._process.pack

    @property
    def name(self) -> str:
        return self._connected.result().info.name

    @property
    def version(self) -> str:
        """PulumiPolicy.yaml's, where it has one."""
        return self.pack.version or self._connected.result().info.version

    @property
    def policies(self) -> tuple[Policy, ...]:
        """What it looks with."""
        return tuple(
            Policy(
                name=info.name,
                description=info.description,
                severity=_severity(info.severity),
                remediation=info.remediation_steps,
                url=info.url,
            )
            for info in self._connected.result().info.policies
        )

    @property
    def answered(self) -> bool:
        """Whether it ever did. Does not wait."""
        return self._connected.done() and self._connected.exception() is None

    @property
    def remediates(self) -> bool:
        """Whether any of its policies shall."""
        return self._connected.result().remediates

    def remediate(self, request: analyzer_pb2.AnalyzeRequest) -> analyzer_pb2.RemediateResponse:
        answer: analyzer_pb2.RemediateResponse = self._ask("Remediate", request)
        return answer

    def analyze(self, request: analyzer_pb2.AnalyzeRequest) -> analyzer_pb2.AnalyzeResponse:
        answer: analyzer_pb2.AnalyzeResponse = self._ask("Analyze", request)
        return answer

    def analyze_stack(self, request: analyzer_pb2.AnalyzeStackRequest) -> analyzer_pb2.AnalyzeResponse:
        answer: analyzer_pb2.AnalyzeResponse = self._ask("AnalyzeStack", request)
        return answer

    def _connect(self, subject: Subject) -> None:
        try:
            options = [("grpc.max_receive_message_length", _MAX_MESSAGE), ("grpc.enable_http_proxy", 0)]
            channel = grpc.insecure_channel(f"127.0.0.1:{self._process.port()}", options=options)
            self._connected.set_result(self._configured(analyzer_pb2_grpc.AnalyzerStub(channel), subject))
        except Exception as error:  # noqa: BLE001 - told to whoever asks
            self._connected.set_exception(error)

    def _configured(self, stub: analyzer_pb2_grpc.AnalyzerStub, subject: Subject) -> _Connected:
        stack = analyzer_pb2.AnalyzerStackConfigureRequest(
            stack=subject.stack,
            project=subject.project,
            organization="organization",
            dry_run=subject.dry,
            config=subject.config,
            config_secret_keys=sorted(subject.secret_keys),
        )
        self._call(stub.ConfigureStack, stack)
        info: analyzer_pb2.AnalyzerInfo = self._call(stub.GetAnalyzerInfo, empty_pb2.Empty())
        try:
            config = reconcile(info, self.pack.config, self.pack.config_file)
        except EngineError as error:
            raise PackError(str(error)) from None
        if info.supportsConfig:
            self._call(stub.Configure, analyzer_pb2.ConfigureAnalyzerRequest(policyConfig=config))
        remediates = any(entry.enforcementLevel == analyzer_pb2.REMEDIATE for entry in config.values())
        return _Connected(stub, info, remediates)

    def _ask(self, method: str, request: Any) -> Any:
        return self._call(getattr(self._connected.result().stub, method), request)

    def _call(self, method: "grpc.UnaryUnaryMultiCallable[Any, Any]", request: Any) -> Any:
        about = f" on {request.type} {request.name!r}" if isinstance(request, analyzer_pb2.AnalyzeRequest) else ""
        answer = method.future(request)
        try:
            while not self._cancelled():
                with suppress(grpc.FutureTimeoutError):
                    return answer.result(_POLL)
            answer.cancel()
            self._say(f"a policy of the pack {self.pack.shown} had not answered{about}")
            raise StoppedError
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.UNAVAILABLE:
                raise self._process.lost() from None
            details = (error.details() or str(error.code())).strip().removeprefix(_POLICY_RAISED)
            raise PackError(
                f"a policy of the pack {self.pack.shown} failed{about}: {details}; its traceback is above"
            ) from None


def _severity(value: Any) -> str:
    name: str = analyzer_pb2.PolicySeverity.Name(value)
    return name.removeprefix("POLICY_SEVERITY_").lower() if value else ""
