"""What `check` records and refuses. It asks no daemon, so that a mistake is told before anything is changed."""

from typing import Any

import pytest

from engine.providers.base import CheckFailed, Unsupported
from engine.providers.docker import DockerProvider
from engine.values import UNKNOWN
from tests.engine.docker.conftest import CONTAINER, IMAGE, NETWORK, VOLUME, call

PROVIDER = DockerProvider()
ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - the official provider's default


def check(type: str, **inputs: Any) -> dict[str, Any]:
    return PROVIDER.check(call(type), None, inputs)


def failures(type: str, **inputs: Any) -> dict[str, str]:
    with pytest.raises(CheckFailed) as raised:
        check(type, **inputs)
    return dict(raised.value.failures)


def test_a_name_is_made_from_the_logical_name_and_kept_afterwards() -> None:
    first = PROVIDER.check(call(VOLUME, "data", seed=b"first"), None, {})
    again = PROVIDER.check(call(VOLUME, "data", seed=b"other"), first, {})
    assert first["name"].startswith("data-")
    assert len(first["name"]) == len("data-") + 7
    assert again == first
    assert first["__defaults"] == ["name"]


def test_a_name_that_the_program_no_longer_gives_is_not_kept() -> None:
    given = PROVIDER.check(call(VOLUME, "data"), None, {"name": "given"})
    assert PROVIDER.check(call(VOLUME, "data"), given, {})["name"] != "given"


def test_a_replacement_gets_another_name() -> None:
    names = {PROVIDER.check(call(VOLUME, "data", seed=seed), None, {})["name"] for seed in (b"first", b"other")}
    assert len(names) == 2


def test_nested_objects_say_which_of_their_properties_were_filled_in() -> None:
    checked = check(CONTAINER, image="i", ports=[{"internal": 80}], healthcheck={"tests": ["NONE"]})
    assert checked["ports"] == [
        {"__defaults": ["ip", "protocol"], "internal": 80, "ip": ANY_ADDRESS, "protocol": "tcp"}
    ]
    assert checked["healthcheck"]["__defaults"] == ["interval", "startInterval", "startPeriod", "timeout"]


def test_values_are_converted_as_the_bridge_does() -> None:
    checked = check(CONTAINER, image="i", memory=64.0, logOpts={"max-file": 3}, readOnly="true", stopTimeout="5")
    assert checked["memory"] == 64
    assert isinstance(checked["memory"], int)
    assert checked["logOpts"] == {"max-file": "3"}
    assert checked["readOnly"] is True
    assert checked["stopTimeout"] == 5


def test_what_a_preview_does_not_know_yet_is_left_alone() -> None:
    checked = check(CONTAINER, image=UNKNOWN, networksAdvanced=[{"name": UNKNOWN}], labels=UNKNOWN, cpus=UNKNOWN)
    assert checked["image"] is UNKNOWN
    assert checked["networksAdvanced"][0]["name"] is UNKNOWN
    assert checked["labels"] is UNKNOWN


@pytest.mark.parametrize(
    ("inputs", "path", "reason"),
    [
        ({}, "image", "is required"),
        ({"image": ["i"]}, "image", "must be text"),
        ({"image": "i", "name": "a/b"}, "name", "is not a name for Docker"),
        ({"image": "i", "memory": "much"}, "memory", "must be a whole number"),
        ({"image": "i", "memory": 1.5}, "memory", "must be a whole number"),
        ({"image": "i", "memory": -1}, "memory", "-1 is below 0"),
        ({"image": "i", "readOnly": "perhaps"}, "readOnly", "must be true or false"),
        ({"image": "i", "envs": {"A": "1"}}, "envs", "must be a list"),
        ({"image": "i", "envs": ["A=1", "B"]}, "envs[1]", "NAME=value"),
        ({"image": "i", "restart": "sometimes"}, "restart", "is not one of no, on-failure"),
        ({"image": "i", "ports": [{"internal": 80}, {"internal": 70000}]}, "ports[1].internal", "not between 1 and"),
        ({"image": "i", "ports": [{"external": 80}]}, "ports[0].internal", "is required"),
        ({"image": "i", "ports": [80]}, "ports[0]", "must be a mapping"),
        ({"image": "i", "healthcheck": {"interval": "soon"}}, "healthcheck.interval", "is not a duration"),
        ({"image": "i", "healthcheck": {"intervall": "5s"}}, "healthcheck.intervall", "unknown property"),
        ({"image": "i", "mounts": [{"type": "bind"}]}, "mounts[0].target", "is required"),
        ({"image": "i", "volumes": [{"containerPath": "data"}]}, "volumes[0].containerPath", "not an absolute path"),
        ({"image": "i", "logOpts": {"max-size": [1]}}, "logOpts.max-size", "must be text"),
        ({"image": "i", "hostnam": "x"}, "hostnam", "unknown property; there are capabilities, command"),
        ({"image": "i", "cpus": "2"}, "cpus", 'write "2.0"'),
    ],
)
def test_a_wrong_value_is_named_by_its_path(inputs: dict[str, Any], path: str, reason: str) -> None:
    found = failures(CONTAINER, **inputs)
    assert list(found) == [path]
    assert reason in found[path]


def test_every_wrong_value_is_told_at_once() -> None:
    assert set(failures(CONTAINER, memory=-1, restart="x", envs=["A"])) == {"memory", "restart", "envs[0]", "image"}


def test_values_of_the_environment_and_of_labels_never_reach_a_message() -> None:
    found = failures(CONTAINER, image="i", envs=["hunter2"], labels=[{"value": "hunter2"}])
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    ("type", "inputs"),
    [
        (CONTAINER, {"image": "i", "gpus": "all"}),
        (CONTAINER, {"image": "i", "uploads": [{"file": "/x", "content": "y"}]}),
        (CONTAINER, {"image": "i", "wait": True}),
        (CONTAINER, {"image": "i", "devices": [{"hostPath": "/dev/x"}]}),
        (IMAGE, {"name": "i", "build": {"context": "."}}),
        (VOLUME, {"cluster": {"scope": "single"}}),
        (NETWORK, {"ingress": True}),
    ],
)
def test_an_option_that_is_not_carried_out_is_refused_by_name(type: str, inputs: dict[str, Any]) -> None:
    option = list(inputs)[-1]
    with pytest.raises(Unsupported, match=rf'"thing".*\b{option}\b'):
        check(type, **inputs)


def test_such_an_option_of_a_nested_object_is_refused_too() -> None:
    with pytest.raises(Unsupported, match=r"networksAdvanced\[0\]\.macAddress"):
        check(CONTAINER, image="i", networksAdvanced=[{"name": "n", "macAddress": "02:42:ac:11:00:02"}])


def test_such_an_option_set_to_false_asks_for_nothing() -> None:
    assert check(CONTAINER, image="i", wait=False)["wait"] is False


def test_other_types_and_functions_are_refused_by_name() -> None:
    with pytest.raises(Unsupported, match="docker:index/service:Service"):
        check("docker:index/service:Service")
    with pytest.raises(Unsupported, match="getNetwork"):
        PROVIDER.invoke("docker:index/getNetwork:getNetwork", {})


def test_provider_configuration_other_than_the_host_is_refused() -> None:
    PROVIDER.configure({"host": "unix:///nowhere.sock", "version": "5.2.0", "__internal": {}})
    with pytest.raises(Unsupported, match="registryAuth"):
        PROVIDER.configure({"registryAuth": [{"address": "x"}]})
