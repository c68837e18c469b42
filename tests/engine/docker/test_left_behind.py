"""What a create finds under its name: its own remains, recognised by their labels, or an object of someone else."""

from typing import Any

import pytest

from engine.providers.base import ProviderError
from tests.engine.docker.conftest import CONTAINER, NETWORK, VOLUME, Workbench, call, labels

pytestmark = pytest.mark.docker

OURS = labels(owner="this", state="1234")


def left_behind(bench: Workbench, **found: Any) -> str:
    """A container as an interrupted create leaves it, or somebody else."""
    made: str = bench.client.create_container_from_config(
        {"Image": bench.image, "Cmd": ["/pause"], "StopSignal": "SIGKILL", **found}, bench.name("c")
    )["Id"]
    return made


def test_a_container_left_behind_is_made_anew(bench: Workbench) -> None:
    old = left_behind(bench, Labels={"owner": "this", "state": "1234", "of": "the image"})
    bench.client.start(old)
    made = bench.start(labels=OURS)
    assert made.id != old
    assert bench.inspect(made)["State"]["Running"]
    assert len(bench.client.containers(all=True, filters={"name": bench.name("c")})) == 1


@pytest.mark.parametrize("found", [{}, {"owner": "this"}, {"owner": "this", "state": "5678"}])
def test_a_container_of_someone_else_is_left_alone(bench: Workbench, found: dict[str, str]) -> None:
    foreign = left_behind(bench, Labels=found)
    with pytest.raises(ProviderError, match=rf"{bench.name('c')}.*docker rm -f {bench.name('c')}"):
        bench.start(labels=OURS)
    assert bench.client.inspect_container(foreign)["Id"] == foreign


def test_a_container_is_not_recognised_where_no_label_is_asked_for(bench: Workbench) -> None:
    foreign = left_behind(bench)
    with pytest.raises(ProviderError, match="not of this stack"):
        bench.start(labels=[])
    assert bench.client.inspect_container(foreign)["Id"] == foreign


def test_a_network_left_behind_is_adopted(bench: Workbench) -> None:
    found = bench.client.create_network(bench.name("n"), labels={"owner": "this", "state": "1234"})["Id"]
    made = bench.create(NETWORK, {"name": bench.name("n"), "labels": OURS})
    assert made.id == found
    assert not bench.provider.diff(call(NETWORK), made, made.inputs).changed


def test_a_network_of_someone_else_is_refused_and_not_made_twice(bench: Workbench) -> None:
    """Docker 20.10 would make a second one of the same name."""
    bench.client.create_network(bench.name("n"), labels={"owner": "other"})
    with pytest.raises(ProviderError, match=rf"docker network rm {bench.name('n')}"):
        bench.create(NETWORK, {"name": bench.name("n"), "labels": OURS})
    assert len(bench.client.networks(names=[bench.name("n")])) == 1


def test_a_network_left_behind_with_other_options_is_refused(bench: Workbench) -> None:
    bench.client.create_network(bench.name("n"), labels={"owner": "this", "state": "1234"})
    with pytest.raises(ProviderError, match="exists already with another internal"):
        bench.create(NETWORK, {"name": bench.name("n"), "labels": OURS, "internal": True})


def test_a_network_whose_name_only_begins_alike_is_another_one(bench: Workbench) -> None:
    bench.client.create_network(bench.name("n") + "-longer", labels={"owner": "other"})
    assert bench.create(NETWORK, {"name": bench.name("n"), "labels": OURS}).id


def test_a_volume_is_adopted_whatever_its_labels_and_says_which_it_has(bench: Workbench) -> None:
    bench.client.create_volume(bench.name("v"), labels={"of": "before"})
    made = bench.create(VOLUME, {"name": bench.name("v"), "labels": OURS})
    assert made.outputs["labels"] == labels(of="before")
    ignoring = call(VOLUME, ignore_changes=("labels",))
    assert not bench.provider.diff(ignoring, made, made.inputs).changed, "an adopted volume must not be replaced"


def test_a_volume_that_is_not_where_it_should_be_is_not_adopted(bench: Workbench) -> None:
    bench.client.create_volume(bench.name("v"))
    with pytest.raises(ProviderError, match="exists already with another driverOpts"):
        bench.create(VOLUME, {"name": bench.name("v"), "driverOpts": {"type": "tmpfs", "device": "tmpfs"}})


def test_a_create_repeated_after_a_lost_answer_converges(bench: Workbench) -> None:
    first = bench.start()
    second = bench.start()
    assert second.id != first.id
    assert bench.provider.read(call(CONTAINER), first) is None
    assert bench.provider.read(call(CONTAINER), second) is not None
