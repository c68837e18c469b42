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
from infra import delivery, platforms, settings, stack
from policies.rules import tokens
from tests.policies.harness import Example, secret

ROOT = Path(__file__).parents[2]

DEV, PROD = "dev", "prod"
"""The stacks of Pulumi.<stack>.yaml: on Docker, and on Kubernetes."""

_PEM = "-----BEGIN {0}-----\n{1}\n-----END {0}-----\n"


def _computed(name: str) -> dict[str, str]:
    """What a provider would compute; the rest of a resource's outputs are its inputs."""
    return {
        "imageId": "sha256:1",
        "result": f"generated-password-of-{name}",
        "value": f"kept-secret-of-{name}",
        "hex": "0123456789abcdef0123456789abcdef",
        "identity": "1",
        "version": "1",
        "privateKeyPem": _PEM.format("PRIVATE KEY", f"key-of-{name}"),
        "certRequestPem": _PEM.format("CERTIFICATE REQUEST", name),
        "certPem": _PEM.format("CERTIFICATE", name),
    }


class _Answers(mocks.Mocks):
    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        return f"{args.name}-id", {**_computed(args.name), **args.inputs}

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


def applications(name: str = DEV) -> tuple[Application, ...]:
    """What those of a stack claim."""
    return settings.read_applications(settings.parse(_values(name), file=f"Pulumi.{name}.yaml"), ROOT)


def _values(name: str) -> dict[str, Any]:
    config = yaml.safe_load((ROOT / f"Pulumi.{name}.yaml").read_text())["config"]
    return {key.removeprefix("strata:"): value for key, value in config.items()}


def registrations(images: str, name: str = DEV) -> dict[str, resource_pb2.RegisterResourceRequest]:
    """URN → request, for the program with the settings of Pulumi.<name>.yaml and images from `images`.

    That of the stack has what rules read of its outputs in the place of inputs, which it has none of.
    """
    values = {**_values(name), "images": {"source": images}}
    if values["stage"] == "production":
        values["stage"] = "test"  # else every image needs a digest, which those of this machine have not
    monitor = _Monitor()
    set_root_resource(None)  # type: ignore[arg-type]  # of the program before, else the stack is not registered again
    mocks.set_mocks(_Answers(), project="strata", stack=name, preview=False, monitor=monitor)

    def declare() -> None:
        wanted = settings.parse(values, file=f"Pulumi.{name}.yaml")
        applications = settings.read_applications(wanted, ROOT)
        platform = platforms.make(wanted, applications, "strata", name)
        outputs = stack.deploy(wanted, applications, platform, ROOT)
        stack.export(wanted, platform, outputs)
        delivery.deliver(wanted, applications, platform, outputs, ROOT)

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
