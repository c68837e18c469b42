"""Who may log in to Qdrant at all: nobody is lost, and whom nobody declares is shut out."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from components.slices.qdrant import logins
from components.slices.qdrant.connection import LOGINS
from components.slices.resource import Props
from tests.slices.qdrant_inside import (
    COLLECTION,
    LOGIN,
    ROSTER,
    admin,
    collection,
    fresh_name,
    login,
    looked_at,
    made,
    token,
    updated,
    works,
)
from tests.slices.servers import Server

pytestmark = pytest.mark.docker


@pytest.fixture
def name(qdrant: Server) -> Iterator[str]:
    with fresh_name(qdrant) as made:
        yield made


@pytest.fixture
def tenant(qdrant: Server, name: str) -> Props:
    """A login with a collection of its name."""
    made(COLLECTION, collection(qdrant, name))
    return made(LOGIN, login(qdrant, name))


def test_the_roster_removes_logins_that_nobody_declares(qdrant: Server, name: str, tenant: Props) -> None:
    stray = made(LOGIN, login(qdrant, f"{name}-stray", collections=[name]))
    others = [each for each in _names(qdrant) if not each.startswith(name)]
    props = qdrant.props(logins=[name, *others])
    outputs = made(ROSTER, props)
    assert outputs["revoked"] == [f"{name}-stray"]
    assert not works(qdrant, token(qdrant, stray), name)
    assert works(qdrant, token(qdrant, tenant), name)
    assert ROSTER.diff("", outputs, props).changes is False
    assert ROSTER.diff("", looked_at(ROSTER, outputs), props).changes is False
    made(LOGIN, login(qdrant, f"{name}-stray", collections=[name]))
    found = looked_at(ROSTER, outputs)
    assert ROSTER.diff("", found, props).changes is True
    assert updated(ROSTER, found, props)["revoked"] == [f"{name}-stray"]
    assert LOGIN.read(name, login(qdrant, name)).id, "the administrator was locked out, or a declared login removed"


def _names(server: Server) -> list[str]:
    with admin(server) as client:
        everybody, _ = client.scroll(LOGINS, limit=1000)
    found = [str((point.payload or {}).get("login")) for point in everybody]
    return [each for each in found if each not in ("None", logins.ADMIN)]


def test_many_logins_at_once_lose_none_and_all_are_listed(qdrant: Server, name: str) -> None:
    made(COLLECTION, collection(qdrant, name))
    wanted = [f"{name}-{number}" for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        outputs = list(pool.map(lambda each: made(LOGIN, login(qdrant, each, collections=[name])), wanted))
    assert len({each["token_id"] for each in outputs}) == len(wanted)
    assert all(works(qdrant, token(qdrant, each), name) for each in outputs)
    assert set(wanted) <= set(looked_at(ROSTER, qdrant.props(logins=[]))["logins"])
