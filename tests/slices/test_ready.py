"""Readiness: who answers, and what a plan makes of another answer or of none."""

import pytest
from pulumi.output import UNKNOWN

from components.slices import SliceError
from components.slices.ready import ReadyProvider
from components.slices.resource import Props
from tests.slices.servers import Server

PROVIDER = ReadyProvider()


@pytest.fixture(params=["postgres", "redis", "qdrant"])
def server(request: pytest.FixtureRequest) -> Server:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Server)
    return found


def made(props: Props) -> Props:
    outputs = PROVIDER.create(props).outs
    assert outputs is not None
    return outputs


@pytest.mark.docker
def test_identity_and_version_come_from_the_server(server: Server) -> None:
    outputs = made(server.ready_props())
    assert len(outputs["identity"]) >= 19, "a number of 64 bits and a UUID are that long"
    assert outputs["version"].startswith(server.kind.version)
    assert PROVIDER.diff("", outputs, server.ready_props()).changes is False
    assert PROVIDER.read("postgres", outputs).id == "postgres"


@pytest.mark.docker
@pytest.mark.parametrize(
    "change",
    [
        {"container_id": "another"},
        {"container_id": UNKNOWN},
        {"credential": "another"},
        {"credential": UNKNOWN},
        {"identity": "another"},
    ],
)
def test_another_container_credential_or_identity_is_a_change(server: Server, change: Props) -> None:
    props = server.ready_props()
    outputs = made(props)
    olds = {**outputs, **({"identity": change["identity"]} if "identity" in change else {})}
    news = {**props, **({} if "identity" in change else change)}
    assert PROVIDER.diff("", olds, news).changes is True


@pytest.mark.docker
def test_no_answer_is_a_change_and_an_error_to_a_refresh(server: Server) -> None:
    props = server.ready_props()
    outputs = made(props)
    silent = {**props, "admin": {**server.admin(), "port": 1.0}}
    assert PROVIDER.diff("", {**outputs, "admin": silent["admin"]}, silent).changes is True
    with pytest.raises(SliceError, match="no answer"):
        PROVIDER.read("postgres", {**outputs, "admin": silent["admin"]})


@pytest.mark.docker
def test_the_deadline_ends_with_the_last_error_and_the_log(server: Server) -> None:
    props = server.ready_props(admin={**server.admin(), "port": 1.0}, deadline=0.3)
    with pytest.raises(
        SliceError, match=rf"(?s)Container {server.name} is not ready within 0.3 s\..*:1: no answer.*log:"
    ):
        PROVIDER.create(props)


@pytest.mark.docker
def test_a_container_that_is_gone_is_not_waited_for(server: Server) -> None:
    props = server.ready_props(admin={**server.admin(), "port": 1.0}, container_id="0" * 64, deadline=60.0)
    with pytest.raises(SliceError, match="does not exist any more"):
        PROVIDER.create(props)


@pytest.mark.docker
@pytest.mark.parametrize("server", ["postgres", "redis"], indirect=True)  # Qdrant has none: test_qdrant_ready
def test_a_refused_password_is_named_as_such(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.slices.admin.read_secret", lambda stack, secret: "wrong")
    with pytest.raises(SliceError, match="password is refused") as caught:
        PROVIDER.create(server.ready_props(deadline=0.2))
    assert "wrong" not in str(caught.value)


def test_an_unknown_backend_is_refused() -> None:
    assert "none of postgres, redis" in PROVIDER.check({}, {"backend": "mysql"}).failures[0].reason
