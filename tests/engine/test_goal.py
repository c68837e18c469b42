"""Registration requests as the engine reads them."""

from pathlib import Path

import pytest

from engine.goal import Goal, from_request, seconds
from engine.proto import resource_pb2
from engine.providers.base import Unsupported
from engine.values import Secret
from engine.wire import to_struct


def test_a_request_in_full() -> None:
    request = resource_pb2.RegisterResourceRequest(
        type="docker:index/volume:Volume",
        name="data",
        custom=True,
        parent="urn:parent",
        object=to_struct({"name": "x", "driver": Secret("y")}),
        dependencies=["urn:b", "urn:a"],
        version="v5.2.0",
        retainOnDelete=False,
        deleteBeforeReplace=False,
        deleteBeforeReplaceDefined=True,
        customTimeouts=resource_pb2.RegisterResourceRequest.CustomTimeouts(create="5m", delete="90s"),
    )
    request.propertyDependencies["name"].urns.extend(["urn:b"])
    request.sourcePosition.uri = "file:///work%20here/infra/__main__.py"
    request.sourcePosition.line = 14
    goal = from_request(request, Path("/work here"))
    assert goal.package == "docker"
    assert goal.inputs == {"name": "x", "driver": Secret("y")}
    assert goal.dependencies == ("urn:a", "urn:b")
    assert goal.property_dependencies == {"name": ("urn:b",)}
    assert goal.version == "5.2.0"
    assert (goal.protect, goal.retain_on_delete, goal.delete_before_replace) == (None, False, False)
    assert goal.custom_timeouts is not None
    assert (goal.custom_timeouts.create, goal.custom_timeouts.update, goal.custom_timeouts.delete) == (300, 0, 90)
    assert goal.source_position == "project:///infra/__main__.py#14"


@pytest.mark.parametrize(
    ("text", "value"), [("", 0), ("5m", 300), ("1h30m", 5400), ("1.5s", 1.5), ("500ms", 0.5), ("2h0m1s", 7201)]
)
def test_durations(text: str, value: float) -> None:
    assert seconds(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["5", "5 minutes", "m", "-5m"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(Unsupported, match="not a duration"):
        seconds(text)


def test_a_provider_is_inherited_for_its_own_package_only() -> None:
    parent = Goal(type="a:b:C", name="p", custom=True, provider="urn:pulumi:s::p::pulumi:providers:docker::mine::id")
    docker = Goal(type="docker:index/volume:Volume", name="v", custom=True)
    assert docker.inherit(parent).provider == parent.provider
    assert Goal(type="random:index/randomId:RandomId", name="r", custom=True).inherit(parent).provider == ""
