"""Inputs and outputs are recorded as the official plugin records them: what it misses, it would replace."""

from typing import Any

import pytest

from tests.engine.docker.conftest import NETWORK, Workbench, call, free_port
from tests.engine.docker.official import NAMES, answer

pytestmark = pytest.mark.docker

_CHOSEN_BY_DOCKER = {"ipAddress", "ipPrefixLength", "gateway", "macAddress", "mountpoint"}
_ELSEWHERE = {"__meta", "deviceCgroupRules"}  # the engine's note; in the SDK 5.2.0 but not in the plugin that was asked


def comparable(value: Any) -> Any:
    """Lists without their order, of what Docker chooses only the type; null and an empty mapping are alike."""
    if isinstance(value, dict):
        kept = {name: item for name, item in value.items() if name not in _ELSEWHERE}
        shown = {name: type(item) if name in _CHOSEN_BY_DOCKER else comparable(item) for name, item in kept.items()}
        return shown or None
    if isinstance(value, list):
        return sorted((comparable(item) for item in value), key=repr)
    return value


@pytest.mark.parametrize("name", NAMES)
def test_inputs_and_outputs_have_the_official_shape(bench: Workbench, name: str) -> None:
    values = {
        "port_a": str(free_port()),
        "port_b": str(free_port()),
        "network_name": bench.name("shape"),
        "network": bench.client.create_network(bench.name("shape"))["Id"],
        "volume": bench.client.create_volume(bench.name("shape"))["Name"],
        "prefix": f"{bench.prefix}-",
        "image_id": bench.client.inspect_image(bench.image)["Id"],
        "image": bench.image,
    }
    asked = answer(name, **values)
    made = bench.create(asked.type, asked.inputs)
    official = answer(name, **values, id=made.id, short_id=made.id[:12]).old
    read = bench.provider.read(call(asked.type), made)
    assert read is not None

    if asked.type == NETWORK and "ipamConfigs" not in asked.inputs:
        for chosen in (made.outputs, official.outputs, read.outputs):
            chosen["ipamConfigs"] = [set(config) for config in chosen["ipamConfigs"]]
    assert made.id == official.id
    assert made.inputs == official.inputs
    assert comparable(made.outputs) == comparable(official.outputs)
    assert (read.id, read.outputs) == (made.id, made.outputs), "a refresh would find a change that nobody made"
