"""The preflight on a real daemon: what it refuses, what it lets pass, what it adopts."""

import secrets
import socket
from collections.abc import Iterator
from contextlib import closing

import docker
import pytest
from pulumi.output import UNKNOWN

import images
from components.slices.docker_preflight import DockerPreflightProvider
from components.slices.resource import Props
from tests.slices.servers import LABEL

PROVIDER = DockerPreflightProvider()
OWN = "0123456789abcdef"


@pytest.fixture
def name(client: docker.DockerClient) -> Iterator[str]:
    made = f"slices-pre-{secrets.token_hex(4)}"
    yield made
    for container in client.containers.list(all=True, filters={"name": made}):
        container.remove(force=True)
    for network in client.networks.list(filters={"name": made}):
        network.remove()
    for volume in client.volumes.list(filters={"name": made}):
        volume.remove()


def reasons(**more: object) -> list[str]:
    props: Props = {"stack": "strata/test", "state_id": OWN, "free_bytes": 1.0, **more}
    return [failure.reason for failure in PROVIDER.check({}, props).failures]


def container(client: docker.DockerClient, name: str, labels: dict[str, str], port: int | None = None) -> None:
    client.containers.run(
        images.local_name("redis", "8"),
        name=name,
        entrypoint=["sleep", "600"],
        labels={LABEL: "1", **labels},
        ports={"80/tcp": ("127.0.0.1", port)} if port else {},
        detach=True,
    )


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def claim(name: str, port: int) -> list[Props]:
    return [{"host": "127.0.0.1", "port": float(port), "container": name, "setting": "strata:redis.port"}]


@pytest.mark.docker
def test_a_free_host_passes(name: str) -> None:
    names = {"containers": [name], "networks": [name], "volumes": [name], "ports": claim(name, free_port())}
    assert reasons(**names) == []


@pytest.mark.docker
def test_ones_own_objects_pass_and_nothing_is_planned(client: docker.DockerClient, name: str) -> None:
    port = free_port()
    labels = {"strata.state": OWN, LABEL: "1"}
    container(client, name, labels, port)
    client.networks.create(name, labels=labels)
    client.volumes.create(name, labels=labels)
    props: Props = {
        "stack": "strata/test",
        "state_id": OWN,
        "containers": [name],
        "networks": [name],
        "volumes": [name],
        "ports": claim(name, port),
        "free_bytes": 1.0,
    }
    checked = PROVIDER.check({}, props)
    assert checked.failures == []
    assert checked.inputs["adopted"] == []
    outputs = PROVIDER.create(checked.inputs).outs or {}
    assert PROVIDER.diff("", outputs, PROVIDER.check(props, props).inputs).changes is False


@pytest.mark.docker
@pytest.mark.parametrize(
    ("labels", "state", "whose"),
    [
        ({}, OWN, "is not Strata's"),
        ({"strata.stack": "strata/dev", "strata.state": "x"}, OWN, "belongs to another state of the stack strata/dev"),
        ({"strata.stack": "strata/dev", "strata.state": "x"}, UNKNOWN, "belongs to another state"),
    ],
)
def test_foreign_containers_and_networks_are_refused_with_the_way_out(
    client: docker.DockerClient, name: str, labels: dict[str, str], state: object, whose: str
) -> None:
    container(client, name, labels)
    client.networks.create(name, labels={LABEL: "1", **labels})
    found = reasons(containers=[name], networks=[name], state_id=state)
    assert len(found) == 2
    assert all(whose in reason for reason in found), found
    assert f"docker rm -f {name}" in found[0]
    assert f"docker network rm {name}" in found[1]


@pytest.mark.docker
@pytest.mark.parametrize("labels", [{}, {"strata.state": "another"}])
def test_foreign_volumes_are_adopted_and_named(client: docker.DockerClient, name: str, labels: dict[str, str]) -> None:
    client.volumes.create(name, labels={LABEL: "1", **labels})
    props: Props = {"stack": "s", "state_id": OWN, "volumes": [name, f"{name}-none"], "free_bytes": 1.0}
    checked = PROVIDER.check({}, props)
    assert (checked.failures, checked.inputs["adopted"]) == ([], [name])


@pytest.mark.docker
def test_a_port_of_another_container_names_it_and_the_setting(client: docker.DockerClient, name: str) -> None:
    port = free_port()
    container(client, f"{name}-other", {}, port)
    [reason] = reasons(ports=claim(name, port))
    assert f"port {port} on 127.0.0.1 is taken by the container `{name}-other`" in reason
    assert "strata:redis.port" in reason


@pytest.mark.docker
def test_a_port_of_a_process_names_it(name: str) -> None:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        [reason] = reasons(ports=claim(name, listener.getsockname()[1]))
    assert "is taken by process " in reason
    assert "(py" in reason, reason


@pytest.mark.docker
def test_a_full_disk_and_a_missing_image_are_refused() -> None:
    found = reasons(free_bytes=2.0**60, images=["localhost/strata-nothing:1", "docker.io/library/postgres:17"])
    assert found[0] == "the image localhost/strata-nothing:1 is not on this host: strata images build"
    assert "GiB are free on the disk of" in found[1]
    assert len(found) == 2


def test_without_a_daemon_the_plan_says_what_to_start() -> None:
    [reason] = reasons(docker_host="unix:///nonexistent/docker.sock")
    assert "Docker does not answer at unix:///nonexistent/docker.sock (No such file or directory): start it" in reason
