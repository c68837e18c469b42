"""The real program's registrations, as an engine would receive them. Nothing is created."""

from pathlib import Path
from typing import Any

import pulumi
import yaml
from google.protobuf import json_format
from pulumi.runtime import mocks
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import get_root_resource, set_root_resource

from components.claims import Application
from infra import platforms, settings, stack
from policies.rules import tokens
from tests.policies.harness import Example, secret

ROOT = Path(__file__).parents[2]

# What a provider would compute; the rest of a resource's outputs are its inputs.
_COMPUTED = {"imageId": "sha256:1", "result": "generated", "hex": "0123456789abcdef", "identity": "1", "version": "1"}


class _Answers(mocks.Mocks):
    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        return f"{args.name}-id", {**_COMPUTED, **args.inputs}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"the program calls {args.token}: it must not look anything up")


class _Monitor(mocks.MockMonitor):
    """Keeps the requests themselves, since mocks are not told of options."""

    def __init__(self) -> None:
        super().__init__(_Answers())
        self.requests: dict[str, resource_pb2.RegisterResourceRequest] = {}

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> Any:  # noqa: N802 - gRPC's name
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        for key in request.additionalSecretOutputs:
            if key in response.object.fields:
                value = json_format.MessageToDict(response.object.fields[key])
                response.object.update({key: secret(value)})
        self.requests[response.urn] = request
        return response


def applications() -> tuple[Application, ...]:
    """What those of Pulumi.dev.yaml claim."""
    return settings.read_applications(settings.parse(_values(), file="Pulumi.dev.yaml"), ROOT)


def _values() -> dict[str, Any]:
    config = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]
    return {key.removeprefix("strata:"): value for key, value in config.items()}


def registrations(images: str) -> dict[str, resource_pb2.RegisterResourceRequest]:
    """URN → request, for the program with the settings of Pulumi.dev.yaml and images from `images`.

    That of the stack has what rules read of its outputs in the place of inputs, which it has none of.
    """
    values = {**_values(), "images": {"source": images}}
    monitor = _Monitor()
    set_root_resource(None)  # type: ignore[arg-type]  # of the program before, else the stack is not registered again
    mocks.set_mocks(_Answers(), project="strata", stack="dev", preview=False, monitor=monitor)

    def declare() -> None:
        wanted = settings.parse(values, file="Pulumi.dev.yaml")
        applications = settings.read_applications(wanted, ROOT)
        platform = platforms.make(wanted, applications, "strata", "dev")
        stack.export(wanted, platform, stack.deploy(wanted, applications, platform, ROOT))

    pulumi.runtime.test(declare)()  # type: ignore[no-untyped-call]  # runs it to the end, outputs too
    root: Any = get_root_resource()
    outputs = {key: root.outputs[key] for key in ("stage", "guarantees")}
    for request in monitor.requests.values():
        if request.type == tokens.STACK:
            request.object.update(outputs)
    mocks.set_mocks(_Answers())  # leaves no state of this program to the next test
    return monitor.requests


def examples(requests: dict[str, resource_pb2.RegisterResourceRequest]) -> tuple[Example, ...]:
    """The registrations in the form that rules are run on."""
    return tuple(
        Example(
            type=request.type,
            name=request.name,
            inputs=json_format.MessageToDict(request.object),
            protect=request.protect,
            uses={key: tuple(value.urns) for key, value in request.propertyDependencies.items()},
            parent=request.parent,
            registered=urn,
        )
        for urn, request in requests.items()
    )
