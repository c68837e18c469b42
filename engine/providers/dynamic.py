"""The package `pulumi-python`: dynamic resources, whose code is the program's own and runs in a process of its own."""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import grpc

from engine.program import Child
from engine.proto import provider_pb2, provider_pb2_grpc
from engine.providers import Host
from engine.providers.base import Call, CheckFailed, Diff, Old, Properties, ProviderError
from engine.values import unwrap
from engine.wire import from_struct, to_struct

_HOST: Final = Path(__file__).with_name("dynamic_host.py")
_START: Final = 60.0  # seconds for the host to import the SDK and listen
_MAX_MESSAGE: Final = 400 * 1024 * 1024  # bytes, as the SDK's


class DynamicProvider:
    """Starts its host when it is made and waits for it when it is first asked something."""

    def __init__(self, host: Host) -> None:
        self._say = host.say
        self._port: str | None = None
        self._listening = threading.Event()
        self._stub: provider_pb2_grpc.ResourceProviderStub | None = None
        self._config: Mapping[str, Any] = {}
        self._lock = threading.Lock()
        folder = host.program if host.program.is_dir() else host.program.parent
        environment = {"PULUMI_PROJECT": host.project}
        command = [str(host.python), "-u", "-P", str(_HOST)]
        self._child = Child(command, folder=folder, environment=environment, say=self._heard)
        self._child.tell(json.dumps(host.pickles))

    def configure(self, config: Mapping[str, Any]) -> None:
        self._config = config

    def check(self, call: Call, old_inputs: Properties | None, inputs: Properties) -> Properties:
        request = provider_pb2.CheckRequest(
            urn=call.urn,
            name=call.name,
            type=call.type,
            olds=to_struct(old_inputs or {}),
            news=to_struct(inputs),
            randomSeed=call.random_seed,
        )
        answer = self._ask("Check", request)
        if answer.failures:
            raise CheckFailed([(failure.property, failure.reason) for failure in answer.failures])
        return _without_secrets(answer.inputs)

    def diff(self, call: Call, old: Old, inputs: Properties) -> Diff:
        request = provider_pb2.DiffRequest(
            id=old.id,
            urn=call.urn,
            name=call.name,
            type=call.type,
            olds=to_struct(old.outputs),
            old_inputs=to_struct(old.inputs),
            news=to_struct(inputs),
            ignoreChanges=call.ignore_changes,
        )
        answer = self._ask("Diff", request)
        changes = {provider_pb2.DiffResponse.DIFF_SOME: True, provider_pb2.DiffResponse.DIFF_NONE: False}
        return Diff(
            changes.get(answer.changes),
            replaces=tuple(answer.replaces),
            paths=tuple(answer.diffs),
            delete_before_replace=answer.deleteBeforeReplace,
        )

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        request = provider_pb2.CreateRequest(
            urn=call.urn, name=call.name, type=call.type, properties=to_struct(inputs), timeout=call.timeout or 0
        )
        answer = self._ask("Create", request)
        return answer.id, from_struct(answer.properties)

    def read(self, call: Call, old: Old) -> Old | None:
        request = provider_pb2.ReadRequest(
            id=old.id,
            urn=call.urn,
            name=call.name,
            type=call.type,
            properties=to_struct(old.outputs),
            inputs=to_struct(old.inputs),
        )
        answer = self._ask("Read", request)
        if not answer.id:
            return None
        inputs = from_struct(answer.inputs) if answer.HasField("inputs") else old.inputs
        return Old(answer.id, inputs, from_struct(answer.properties))

    def update(self, call: Call, old: Old, inputs: Properties) -> Properties:
        request = provider_pb2.UpdateRequest(
            id=old.id,
            urn=call.urn,
            name=call.name,
            type=call.type,
            olds=to_struct(old.outputs),
            old_inputs=to_struct(old.inputs),
            news=to_struct(inputs),
            timeout=call.timeout or 0,
            ignoreChanges=call.ignore_changes,
        )
        return from_struct(self._ask("Update", request).properties)

    def delete(self, call: Call, old: Old) -> None:
        request = provider_pb2.DeleteRequest(
            id=old.id,
            urn=call.urn,
            name=call.name,
            type=call.type,
            properties=to_struct(old.outputs),
            old_inputs=to_struct(old.inputs),
            timeout=call.timeout or 0,
        )
        self._ask("Delete", request)

    def invoke(self, token: str, args: Properties) -> Properties:
        raise ProviderError(f"{token}: dynamic providers have no functions")

    def close(self) -> None:
        self._child.stop()

    def _heard(self, line: str, errors: bool) -> None:
        """The host's first line is its port; all others are what the providers print."""
        if self._port is None and not errors:
            self._port = line
            self._listening.set()
        elif line.startswith("warning: "):  # how `pulumi.log.warn` ends up where there is no engine to log to
            self._say(line.removeprefix("warning: "), "warning")
        elif line:
            self._say(line.removeprefix("info: "), "info")

    def _ask(self, method: str, request: Any) -> Any:
        """Raises ProviderError with the provider's message (a traceback, unless it raised a pulumi.RunError)."""
        try:
            return getattr(self._connected(), method)(request)
        except grpc.RpcError as error:
            raise ProviderError((error.details() or str(error.code())).strip()) from None

    def _connected(self) -> provider_pb2_grpc.ResourceProviderStub:
        with self._lock:
            if self._stub is None:
                self._wait()
                options = [("grpc.max_receive_message_length", _MAX_MESSAGE)]
                channel = grpc.insecure_channel(f"127.0.0.1:{self._port}", options=options)
                stub = provider_pb2_grpc.ResourceProviderStub(channel)
                stub.Configure(provider_pb2.ConfigureRequest(args=to_struct(self._config)))
                self._stub = stub
            return self._stub

    def _wait(self) -> None:
        waited = 0.0
        while not self._listening.wait(0.1):
            waited += 0.1
            code = self._child.ended()
            if code is not None or waited > _START:
                how = f"ended with exit code {code}" if code is not None else f"did not answer within {_START:.0f} s"
                raise ProviderError(
                    f"the process that runs dynamic providers {how}; its messages are above. "
                    "It needs the packages `pulumi` and `dill` in the program's environment"
                )


def _without_secrets(struct: Any) -> Properties:
    """Checked inputs are compared and sent as they are; the engine marks what was secret in the program's."""
    return dict(unwrap(from_struct(struct)))
