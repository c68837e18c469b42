"""How an edit is carried out: not at all, in place, or by a new object. Compared with the official plugin's Diff."""

from typing import Any

import pytest

from engine.providers.base import Diff, Old
from engine.providers.docker import DockerProvider
from engine.values import UNKNOWN
from tests.engine.docker.conftest import CONTAINER, IMAGE, NETWORK, VOLUME, call, labels
from tests.engine.docker.official import NAMES, answer

PROVIDER = DockerProvider()
PROVIDER.configure({"host": "unix:///no-daemon.sock"})  # a plan needs none


def recorded(name: str) -> tuple[dict[str, Any], Old]:
    """A program's inputs, and what the official plugin recorded for them."""
    official = answer(name)
    return official.inputs, official.old


def diff(old: Old, type: str, inputs: dict[str, Any], *ignored: str) -> Diff:
    given = {name: value for name, value in inputs.items() if value is not None}
    checked = PROVIDER.check(call(type), old.inputs, given)
    return PROVIDER.diff(call(type, ignore_changes=ignored), old, checked)


def kind(found: Diff) -> str:
    return "replace" if found.replaces else "update" if found.changed else "same"


@pytest.mark.parametrize("name", NAMES)
def test_what_the_official_plugin_recorded_needs_no_change(name: str) -> None:
    official = answer(name)
    assert diff(official.old, official.type, official.inputs) == Diff(changed=False)


EDITS: list[tuple[str, dict[str, Any]]] = [
    ("replace", {"name": "other"}),
    ("replace", {"image": "other:1"}),
    ("replace", {"command": ["y z", "x"]}),
    ("replace", {"entrypoints": ["/quit"]}),
    ("replace", {"envs": ["A=1"]}),
    ("replace", {"labels": labels(tier="data", owner="c")}),
    ("replace", {"readOnly": False}),
    ("replace", {"ports": None}),
    ("replace", {"volumes": None}),
    ("replace", {"networksAdvanced": [{"name": "6" * 64, "aliases": ["pg"]}]}),
    ("replace", {"networksAdvanced": [{"name": UNKNOWN}]}),
    ("replace", {"capabilities": None}),
    ("replace", {"securityOpts": []}),
    ("replace", {"cpus": "2.0"}),
    ("replace", {"shmSize": 64}),
    ("replace", {"logDriver": "local"}),
    ("replace", {"logOpts": None}),
    ("replace", {"stopTimeout": 3}),
    ("replace", {"stopSignal": "SIGTERM"}),
    ("replace", {"ulimits": None}),
    ("replace", {"user": "1000"}),
    ("replace", {"workingDir": "/mnt"}),
    ("replace", {"sysctls": None}),
    ("replace", {"hosts": None}),
    ("replace", {"privileged": True}),
    # The official plugin calls these updates, records them, and leaves the container as it was.
    ("replace", {"healthcheck": {"tests": ["CMD", "/quit"], "interval": "31s"}}),
    ("replace", {"tmpfs": {"/tmp": "rw"}}),
    ("replace", {"tmpfs": None}),
    ("replace", {"mounts": [{"type": "tmpfs", "target": "/mnt/u"}]}),
    ("replace", {"init": False}),
    # Docker can lower and raise these limits, but takes no limit away.
    ("replace", {"memory": None, "memorySwap": None}),
    ("update", {"memory": 128, "memorySwap": 128}),
    ("update", {"memoryReservation": 32}),
    ("update", {"cpuShares": 5}),
    ("update", {"cpuSet": "0"}),
    ("update", {"restart": "always"}),
    ("update", {"restart": "on-failure", "maxRetryCount": 3}),
    ("update", {"mustRun": False}),
    ("update", {"start": False}),
    ("update", {"destroyGraceSeconds": 2}),
    ("update", {"removeVolumes": False}),
    ("update", {"waitTimeout": 61}),
    ("same", {"envs": ["A=1", "B=2"]}),
    ("same", {"labels": labels(owner="b", tier="data")}),
    ("same", {"networksAdvanced": [{"name": "6" * 64, "aliases": ["pg", "db-postgres"]}]}),
    ("same", {"capabilities": {"adds": ["CAP_SETUID", "CAP_CHOWN"], "drops": ["ALL"]}}),
    ("same", {"hostname": None, "user": None, "healthcheck": None, "stopSignal": None, "labels": None}),
    ("same", {"wait": False, "privileged": None}),
]


@pytest.mark.parametrize(("expected", "edit"), EDITS, ids=[f"{kind}-{list(edit)}" for kind, edit in EDITS])
def test_an_edit_of_a_container_is_carried_out(expected: str, edit: dict[str, Any]) -> None:
    inputs, old = recorded("container_options")
    found = diff(old, CONTAINER, {**inputs, **edit})
    assert kind(found) == expected
    assert set(found.paths) <= set(edit)
    assert found.delete_before_replace is (expected == "replace"), "two containers cannot have one name and port"


def test_the_order_of_ports_does_not_matter_and_their_parts_do() -> None:
    inputs, old = recorded("container_options")
    assert kind(diff(old, CONTAINER, {**inputs, "ports": inputs["ports"][::-1]})) == "same"
    moved = [{**inputs["ports"][0], "external": 30081}, inputs["ports"][1]]
    assert diff(old, CONTAINER, {**inputs, "ports": moved}).replaces == ("ports",)


def test_a_port_that_docker_chose_is_no_difference() -> None:
    inputs, old = recorded("container_options")
    left_to_docker = [{"internal": 80}, inputs["ports"][1]]
    assert kind(diff(old, CONTAINER, {**inputs, "ports": left_to_docker})) == "same"


def test_ignored_properties_make_no_difference() -> None:
    inputs, old = recorded("container_options")
    edited = {**inputs, "labels": labels(other="x"), "cpus": "2.0"}
    assert kind(diff(old, CONTAINER, edited, "labels", "cpus")) == "same"
    assert diff(old, CONTAINER, edited, "labels").replaces == ("cpus",)
    assert kind(diff(old, CONTAINER, edited, "*")) == "same"


def test_a_volume_adopted_with_other_labels_is_replaced_unless_they_are_ignored() -> None:
    inputs, old = recorded("volume")
    adopted = Old(old.id, old.inputs, {**old.outputs, "labels": []})
    assert diff(adopted, VOLUME, inputs).replaces == ("labels",)
    assert kind(diff(adopted, VOLUME, inputs, "labels")) == "same"


@pytest.mark.parametrize(
    ("name", "type", "edit"),
    [
        ("network", NETWORK, {"internal": True}),
        ("network", NETWORK, {"driver": "macvlan"}),
        ("network_options", NETWORK, {"ipamConfigs": [{"subnet": "10.213.78.0/28"}]}),
        ("network_options", NETWORK, {"options": {}}),
        ("volume", VOLUME, {"labels": []}),
        ("volume_options", VOLUME, {"driverOpts": {"type": "nfs"}}),
        ("remote_image", IMAGE, {"name": "localhost/other:1"}),
        ("remote_image", IMAGE, {"triggers": {"a": "b"}}),
    ],
)
def test_every_edit_of_the_other_types_is_a_replacement(name: str, type: str, edit: dict[str, Any]) -> None:
    inputs, old = recorded(name)
    assert diff(old, type, {**inputs, **edit}).replaces == tuple(edit)


def test_an_object_that_the_program_names_is_deleted_before_it_is_replaced() -> None:
    inputs, old = recorded("network")
    assert diff(old, NETWORK, {**inputs, "internal": True}).delete_before_replace
    unnamed = {name: value for name, value in inputs.items() if name != "name"}
    autonamed = PROVIDER.check(call(NETWORK), None, unnamed)
    made = Old(old.id, autonamed, {**old.outputs, "name": autonamed["name"]})
    assert not diff(made, NETWORK, {**unnamed, "internal": True}).delete_before_replace


def test_keeping_an_image_is_only_recorded() -> None:
    inputs, old = recorded("remote_image")
    assert kind(diff(old, IMAGE, {**inputs, "keepLocally": False})) == "update"
