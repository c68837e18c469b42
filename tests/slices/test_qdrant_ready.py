"""The administrator of Qdrant and the identity of its volume: made with the API key, whatever was there before."""

import secrets
from collections.abc import Callable, Iterator

import pytest
from qdrant_client import QdrantClient, models

from components.secretfiles import read_secret, write_secret
from components.slices import SliceError
from components.slices.errors import RefusedError
from components.slices.qdrant import logins
from components.slices.qdrant.connection import LOGINS
from components.slices.ready import ReadyProvider
from components.slices.resource import Props
from tests.slices.qdrant_inside import (
    COLLECTION,
    LOGIN,
    admin,
    collection,
    fresh_name,
    login,
    looked_at,
    made,
    put,
    refusal,
    session,
    token,
    updated,
)
from tests.slices.servers import QDRANT, STACK, Kind, Server

pytestmark = pytest.mark.docker
Fresh = Callable[[Kind], Server]
PROVIDER = ReadyProvider()


@pytest.fixture
def name(qdrant: Server) -> Iterator[str]:
    with fresh_name(qdrant) as made:
        yield made


@pytest.fixture
def ready(qdrant: Server) -> Iterator[Props]:
    """What `up` knows of a server that is ready; another test finds it ready, too."""
    yield made(PROVIDER, qdrant.ready_props())
    made(PROVIDER, qdrant.ready_props())


def administrator(server: Server) -> str:
    return read_secret(STACK, server.secret)


def let_in(server: Server, key: str) -> bool:
    with session(server, key) as client:
        return refusal(client.get_collections) is None


def lose(client: QdrantClient, what: str) -> None:
    """By hand, or by a kill while it was being made."""
    if what == "all of it":
        client.delete_collection(LOGINS)
    elif what == "the identity":
        client.delete(LOGINS, [logins.IDENTITY])
    elif what == "the administrator":
        client.delete(LOGINS, [logins.point(logins.ADMIN)])
    else:
        client.delete(LOGINS, models.Filter())


def test_the_administrator_is_made_and_only_with_the_key(fresh: Fresh) -> None:
    server = fresh(QDRANT).start()
    outputs = made(PROVIDER, server.ready_props(deadline=60.0))
    assert len(outputs["identity"]) == 36
    assert outputs["version"].startswith("1.")
    assert let_in(server, administrator(server))
    assert not let_in(server, logins.admin_token(server.password, "another key"))
    assert not let_in(server, logins.admin_token(secrets.token_hex(16), server.root))


@pytest.mark.parametrize("lost", ["all of it", "the identity", "the administrator", "all points"])
def test_what_is_missing_is_a_change_and_is_made_again(qdrant: Server, ready: Props, name: str, lost: str) -> None:
    """Also after a kill between the three things that are made one after the other."""
    made(COLLECTION, collection(qdrant, name))
    outputs = made(LOGIN, login(qdrant, name))
    with admin(qdrant) as client:
        put(client, name)
        lose(client, lost)
    props = qdrant.ready_props()
    assert PROVIDER.diff("", ready, props).changes is True
    again = updated(PROVIDER, ready, props)
    assert PROVIDER.diff("", again, props).changes is False
    assert let_in(qdrant, administrator(qdrant))
    if lost == "the administrator":
        assert again["identity"] == ready["identity"], "every slice would be made anew for nothing"
    else:
        assert again["identity"] != ready["identity"], "slices would not learn that logins were lost"
        assert LOGIN.diff(name, outputs, {**login(qdrant, name), "identity": again["identity"]}).changes is True
        updated(LOGIN, outputs, {**login(qdrant, name), "identity": again["identity"]})
    with session(qdrant, token(qdrant, outputs)) as client:
        assert client.count(name).count == 1, "an application would need another token for nothing"


@pytest.mark.parametrize("lost", ["all of it", "the identity", "the administrator"])
def test_a_refresh_says_that_an_up_is_needed_and_calls_nothing_gone(qdrant: Server, ready: Props, lost: str) -> None:
    with admin(qdrant) as client:
        lose(client, lost)
    with pytest.raises(SliceError, match=r"`strata up`") as caught:
        PROVIDER.read("qdrant", ready)
    assert isinstance(caught.value, RefusedError) == (lost != "the identity")


def test_another_administrator_needs_no_other_container_and_ends_the_one_before_it(
    qdrant: Server, ready: Props, name: str
) -> None:
    made(COLLECTION, collection(qdrant, name))
    outputs, old, old_id = made(LOGIN, login(qdrant, name)), administrator(qdrant), qdrant.password
    qdrant.rotate(secrets.token_hex(16))
    try:
        props = qdrant.ready_props()
        assert PROVIDER.diff("", ready, props).changes is True
        again = updated(PROVIDER, ready, props)
        assert again["identity"] == ready["identity"]
        assert not let_in(qdrant, old), "the old administrator still opens"
        assert LOGIN.read(name, outputs).outs == outputs, "a slice that knows the secret by name did not follow"
        assert let_in(qdrant, token(qdrant, outputs))
    finally:
        qdrant.rotate(old_id)


def test_another_key_keeps_identity_points_and_logins_and_ends_every_token_before_it(fresh: Fresh) -> None:
    server = fresh(QDRANT).start()
    before = made(PROVIDER, server.ready_props(deadline=60.0))
    made(COLLECTION, collection(server, "c"))
    outputs = made(LOGIN, login(server, "c"))
    with admin(server) as client:
        put(client, "c")
    old, old_admin = token(server, outputs), administrator(server)
    server.stop()
    server.start()
    again = made(PROVIDER, server.ready_props(deadline=60.0))
    assert again["identity"] == before["identity"]
    found = looked_at(LOGIN, {**outputs, "admin": server.admin()})
    assert found["live_id"] == outputs["token_id"], "the login itself was lost"
    with session(server, token(server, outputs)) as client:
        assert client.count("c").count == 1
    assert [let_in(server, key) for key in (old, old_admin)] == [False, False]


def test_the_identity_is_the_volume_s_and_survives_restarts_and_crashes(fresh: Fresh) -> None:
    server = fresh(QDRANT).start()
    before = made(PROVIDER, server.ready_props(deadline=60.0))
    server.kill()
    server.running.start()
    assert made(PROVIDER, server.look().ready_props(deadline=60.0)) == {**before, **server.ready_props(deadline=60.0)}
    server.running.restart(timeout=30)
    again = made(PROVIDER, server.look().ready_props(deadline=60.0))
    assert again["identity"] == before["identity"]
    other = fresh(QDRANT).start()
    assert made(PROVIDER, other.ready_props(deadline=60.0))["identity"] != before["identity"]


def test_a_refused_key_is_named_as_such(qdrant: Server) -> None:
    key = secrets.token_hex(16)
    write_secret(STACK, "other-key", key)
    write_secret(STACK, "other-admin", logins.admin_token("x", key))
    props = qdrant.ready_props(root="other-key", admin={**qdrant.admin(), "secret": "other-admin"}, deadline=0.2)
    with pytest.raises(SliceError, match=r"the API key is refused\..*restart it") as caught:
        PROVIDER.create(props)
    assert key not in str(caught.value)


def test_a_secret_that_is_no_token_is_named_as_such(qdrant: Server) -> None:
    write_secret(STACK, "no-token", "written by hand")
    props = qdrant.ready_props(admin={**qdrant.admin(), "secret": "no-token"}, deadline=0.2)
    with pytest.raises(SliceError, match=r"the secret .* is no token") as caught:
        PROVIDER.create(props)
    assert "by hand" not in str(caught.value)
