"""The SDK's protobuf messages, without the SDK: importing `pulumi` takes half a second, its messages a tenth of it."""

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pulumi.runtime.proto import (
        alias_pb2,
        analyzer_pb2,
        analyzer_pb2_grpc,
        engine_pb2,
        engine_pb2_grpc,
        provider_pb2,
        provider_pb2_grpc,
        resource_pb2,
        resource_pb2_grpc,
    )
else:

    def _messages(name: str) -> ModuleType:
        """A module of `pulumi.runtime.proto`, loaded as one of a package that has the same files and nothing else."""
        package = "pulumi.runtime.proto"
        if package not in sys.modules:
            package = "engine._proto"
        if package not in sys.modules:
            stand_in = ModuleType(package)
            stand_in.__path__ = [str(Path(find_spec("pulumi").origin).parent / "runtime" / "proto")]
            sys.modules[package] = stand_in
        return import_module(f"{package}.{name}")

    alias_pb2 = _messages("alias_pb2")
    analyzer_pb2 = _messages("analyzer_pb2")
    analyzer_pb2_grpc = _messages("analyzer_pb2_grpc")
    engine_pb2 = _messages("engine_pb2")
    engine_pb2_grpc = _messages("engine_pb2_grpc")
    provider_pb2 = _messages("provider_pb2")
    provider_pb2_grpc = _messages("provider_pb2_grpc")
    resource_pb2 = _messages("resource_pb2")
    resource_pb2_grpc = _messages("resource_pb2_grpc")

__all__ = [
    "alias_pb2",
    "analyzer_pb2",
    "analyzer_pb2_grpc",
    "engine_pb2",
    "engine_pb2_grpc",
    "provider_pb2",
    "provider_pb2_grpc",
    "resource_pb2",
    "resource_pb2_grpc",
]
