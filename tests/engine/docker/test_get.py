"""`Network.get`, `Volume.get` …: outputs of objects that somebody else made, from the daemon alone."""

import pytest

from engine.providers.base import Old
from tests.engine.docker.conftest import CONTAINER, IMAGE, NETWORK, VOLUME, Workbench, call, free_port, labels

pytestmark = pytest.mark.docker


def get(bench: Workbench, type: str, id: str) -> Old:
    seen = bench.provider.read(call(type), Old(id, {}, {}))
    assert seen is not None
    return seen


def test_a_network_by_its_id_or_name(bench: Workbench) -> None:
    made = bench.create(NETWORK, {"name": bench.name("n"), "labels": labels(a="b")})
    for id in (made.id, bench.name("n")):
        seen = get(bench, NETWORK, id)
        assert seen.id == made.id
        assert seen.outputs == made.outputs


def test_a_volume(bench: Workbench) -> None:
    made = bench.create(VOLUME, {"name": bench.name("v"), "labels": labels(a="b")})
    assert get(bench, VOLUME, made.id).outputs == made.outputs


def test_a_container_by_its_id_or_name(bench: Workbench) -> None:
    port = free_port()
    made = bench.start(ports=[{"internal": 80, "external": port, "ip": "127.0.0.1"}], hostname="web")
    seen = get(bench, CONTAINER, bench.name("c"))
    assert seen.id == made.id
    assert seen.outputs["ports"] == made.outputs["ports"]
    assert seen.outputs["networkDatas"] == made.outputs["networkDatas"]
    assert (seen.outputs["image"], seen.outputs["hostname"]) == (bench.image, "web")
    assert seen.outputs.keys() == made.outputs.keys()


def test_an_image_by_its_id(bench: Workbench) -> None:
    made = bench.create(IMAGE, {"name": bench.image, "keepLocally": True})
    assert get(bench, IMAGE, made.id).outputs["imageId"] == made.outputs["imageId"]


@pytest.mark.parametrize("type", [CONTAINER, IMAGE, NETWORK, VOLUME])
def test_what_is_not_there(bench: Workbench, type: str) -> None:
    assert bench.provider.read(call(type), Old(bench.name("ghost"), {}, {})) is None
