"""Logins of Qdrant: what a token reaches, above all what it does not, and when it ends."""

import secrets
from collections.abc import Callable, Iterator

import pytest
from pulumi.output import UNKNOWN
from qdrant_client import QdrantClient, models

from components.slices.qdrant import logins
from components.slices.qdrant.connection import LOGINS
from components.slices.resource import Props, SliceProvider
from tests.slices.qdrant_inside import (
    COLLECTION,
    LOGIN,
    REFUSED,
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
    works,
)
from tests.slices.servers import Server


@pytest.fixture
def name(qdrant: Server) -> Iterator[str]:
    with fresh_name(qdrant) as made:
        yield made


@pytest.fixture
def tenant(qdrant: Server, name: str) -> Props:
    """A login with a collection of its name, which has one point; beside it another's collection."""
    made(COLLECTION, collection(qdrant, name))
    made(COLLECTION, collection(qdrant, f"{name}-other"))
    with admin(qdrant) as client:
        put(client, name, mine="yes")
        put(client, f"{name}-other", theirs="yes")
    return made(LOGIN, login(qdrant, name))


@pytest.mark.docker
def test_a_login_works_within_its_collection(qdrant: Server, name: str, tenant: Props) -> None:
    with session(qdrant, token(qdrant, tenant)) as client:
        put(client, name, 2, kind="a")
        client.set_payload(name, {"kind": "b"}, [2])
        assert client.query_points(name, query=[1.0, 0.0], limit=5).points[0].payload
        assert client.count(name).count == 2
        client.delete(name, [2])
        assert [found.name for found in client.get_collections().collections] == [name]
        assert client.get_collection(name).points_count == 1


@pytest.mark.docker
def test_a_login_that_only_reads_reads_and_nothing_else(qdrant: Server, name: str, tenant: Props) -> None:
    reader = made(LOGIN, login(qdrant, f"{name}-ro", collections=[name], access="r"))
    with session(qdrant, token(qdrant, reader)) as client:
        assert client.count(name).count == 1
        assert client.query_points(name, query=[1.0, 0.0]).points
        assert client.scroll(name)[0]
        writes: list[Callable[[], object]] = [
            lambda: put(client, name, 2),
            lambda: client.delete(name, [1]),
            lambda: client.set_payload(name, {"a": 1}, [1]),
            lambda: client.clear_payload(name, [1]),
            lambda: client.update_vectors(name, [models.PointVectors(id=1, vector=[0.0, 1.0])]),
            lambda: client.create_payload_index(name, "a", models.PayloadSchemaType.KEYWORD),
            lambda: client.create_snapshot(name),
        ]
        assert [refusal(write) for write in writes] == [403] * len(writes)
    with admin(qdrant) as client:
        assert client.retrieve(name, [1], with_vectors=True)[0].vector == [1.0, 0.0]


TRICKS: dict[str, Callable[[QdrantClient, str, str], object]] = {
    "read": lambda c, own, other: c.retrieve(other, [1]),
    "scroll": lambda c, own, other: c.scroll(other),
    "count": lambda c, own, other: c.count(other),
    "query": lambda c, own, other: c.query_points(other, query=[1.0, 0.0]),
    "write": lambda c, own, other: put(c, other, 2),
    "delete a point": lambda c, own, other: c.delete(other, [1]),
    "change a payload": lambda c, own, other: c.set_payload(other, {"a": 1}, [1]),
    "look at it": lambda c, own, other: c.get_collection(other),
    "learn that it exists": lambda c, own, other: c.collection_exists(other),
    "take its vectors": lambda c, own, other: c.query_points(
        own, query=1, lookup_from=models.LookupLocation(collection=other)
    ),
    "index it": lambda c, own, other: c.create_payload_index(other, "a", models.PayloadSchemaType.KEYWORD),
    "snapshot it": lambda c, own, other: c.create_snapshot(other),
    "list its snapshots": lambda c, own, other: c.list_snapshots(other),
    "snapshot everything": lambda c, own, other: c.create_full_snapshot(),
    "restore over its own": lambda c, own, other: c.recover_snapshot(own, f"file:///qdrant/storage/snapshots/{other}"),
    "make a collection": lambda c, own, other: c.create_collection(
        f"{own}-more", models.VectorParams(size=2, distance=models.Distance.DOT)
    ),
    "change its own collection": lambda c, own, other: c.update_collection(
        own, collection_params=models.CollectionParamsDiff(on_disk_payload=False)
    ),
    "delete its own collection": lambda c, own, other: c.delete_collection(own),
    "delete it": lambda c, own, other: c.delete_collection(other),
    "give it a name of its own": lambda c, own, other: c.update_collection_aliases(
        [models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name=other, alias_name=f"{own}-alias"))]
    ),
    "see who may log in": lambda c, own, other: c.scroll(LOGINS),
    "let somebody in": lambda c, own, other: c.upsert(
        LOGINS, [models.PointStruct(id=1, vector={}, payload={"id": "mine"})]
    ),
    "lock everybody out": lambda c, own, other: c.delete(LOGINS, [logins.point(logins.ADMIN)]),
}


@pytest.mark.docker
@pytest.mark.parametrize("trick", TRICKS)
def test_nothing_beyond_its_collection_is_reached(qdrant: Server, name: str, tenant: Props, trick: str) -> None:
    other = f"{name}-other"
    with session(qdrant, token(qdrant, tenant)) as client:
        assert refusal(lambda: TRICKS[trick](client, name, other)) in (403, 501), "501: nobody can do that here"
    with admin(qdrant) as client:
        assert client.retrieve(other, [1])[0].payload == {"theirs": "yes"}
        assert client.count(name).count == 1


@pytest.mark.docker
def test_no_key_a_wrong_one_and_a_forged_token_open_nothing(qdrant: Server, name: str, tenant: Props) -> None:
    everything = [{"collection": name, "access": "rw"}]
    strangers = {
        "nobody": None,
        "a wrong key": "x" * 40,
        "a token signed by somebody else": logins.token(everything, tenant["token_id"], "x" * 40),
        "a token of a login that there is not": logins.token(everything, secrets.token_hex(16), qdrant.root),
        "an administrator that there is not": logins.admin_token(secrets.token_hex(16), qdrant.root),
        "a token's parts": ".".join(token(qdrant, tenant).split(".")[:2]) + ".",
    }
    for who, key in strangers.items():
        with session(qdrant, key) as client:
            for attempt in (lambda: client.count(name), client.get_collections):
                assert refusal(attempt) in REFUSED, f"{who} was let in"


@pytest.mark.docker
def test_nothing_changes_nothing(qdrant: Server, name: str, tenant: Props) -> None:
    props = login(qdrant, name)
    assert LOGIN.diff(name, tenant, props).changes is False
    assert LOGIN.diff(name, looked_at(LOGIN, tenant), props).changes is False
    again = updated(LOGIN, tenant, props)
    assert again["token_id"] == tenant["token_id"]
    assert LOGIN.diff(name, again, props).changes is False


@pytest.mark.docker
def test_a_login_that_grows_keeps_its_token(qdrant: Server, name: str, tenant: Props) -> None:
    before, wider = token(qdrant, tenant), login(qdrant, name, collections=[name, f"{name}-other"])
    assert LOGIN.diff(name, tenant, wider).changes is True
    outputs = updated(LOGIN, tenant, wider)
    assert works(qdrant, before, name), "an application that runs was locked out by a collection more"
    assert not works(qdrant, before, f"{name}-other")
    assert works(qdrant, token(qdrant, outputs), f"{name}-other")
    assert LOGIN.diff(name, outputs, wider).changes is False


@pytest.mark.docker
@pytest.mark.parametrize("change", [{"collections": ["{name}"]}, {"access": "r"}], ids=["a collection less", "r"])
def test_a_login_that_shrinks_has_another_token_at_once(qdrant: Server, name: str, change: Props) -> None:
    for each in (name, f"{name}-other"):
        made(COLLECTION, collection(qdrant, each))
    props = login(qdrant, name, collections=[name, f"{name}-other"])
    outputs = made(LOGIN, props)
    before = token(qdrant, outputs)
    assert works(qdrant, before, f"{name}-other")
    narrower = {**props, **({"collections": [name]} if "collections" in change else change)}
    assert LOGIN.diff(name, outputs, narrower).changes is True
    shrunk = updated(LOGIN, outputs, narrower)
    assert shrunk["token_id"] != outputs["token_id"]
    assert not works(qdrant, before, name), "a token that reaches more than is declared still opens"
    assert works(qdrant, token(qdrant, shrunk), name)
    assert LOGIN.diff(name, looked_at(LOGIN, shrunk), narrower).changes is False


@pytest.mark.docker
def test_a_deleted_login_is_refused_and_its_points_stay(qdrant: Server, name: str, tenant: Props) -> None:
    key = token(qdrant, tenant)
    assert works(qdrant, key, name)
    LOGIN.delete(name, tenant)
    assert not works(qdrant, key, name)
    with admin(qdrant) as client:
        assert client.count(name).count == 1
    LOGIN.delete(name, tenant)


@pytest.mark.docker
def test_a_login_that_is_made_again_refuses_what_was_handed_out_before(
    qdrant: Server, name: str, tenant: Props
) -> None:
    """`destroy` leaves the points of logins on the volume; a token of that time must not open the next stack."""
    again = made(LOGIN, login(qdrant, name))
    assert again["token_id"] != tenant["token_id"]
    assert not works(qdrant, token(qdrant, tenant), name)
    assert works(qdrant, token(qdrant, again), name)


@pytest.mark.docker
@pytest.mark.parametrize("by_hand", ["removed", "changed"])
def test_drift_is_found_by_refresh_and_put_right(qdrant: Server, name: str, tenant: Props, by_hand: str) -> None:
    key, props = token(qdrant, tenant), login(qdrant, name)
    with admin(qdrant) as client:
        if by_hand == "removed":
            client.delete(LOGINS, [logins.point(name)])
        else:
            client.set_payload(LOGINS, {"id": "another"}, [logins.point(name)])
    assert not works(qdrant, key, name)
    found = looked_at(LOGIN, tenant)
    assert LOGIN.diff(name, found, props).changes is True
    repaired = updated(LOGIN, found, props)
    assert works(qdrant, key, name), "applications would need another token for nothing"
    assert LOGIN.diff(name, looked_at(LOGIN, repaired), props).changes is False


@pytest.mark.parametrize(
    ("provider", "change", "complaint"),
    [
        (LOGIN, {"name": "admin"}, "belongs to the backend"),
        (LOGIN, {"name": "A b"}, "would need quoting"),
        (LOGIN, {"name": "u" * 64}, "at most 63"),
        (LOGIN, {"collections": []}, "needs a collection"),
        (LOGIN, {"collections": ["strata_logins"]}, "belongs to the backend"),
        (LOGIN, {"collections": ["*"]}, "would need quoting"),
    ],
)
def test_what_would_open_too_much_is_refused_by_the_plan(
    provider: SliceProvider, change: Props, complaint: str
) -> None:
    failures = provider.check({}, {"name": "alfred-1", "collections": ["c"], **change}).failures
    assert [complaint in failure.reason for failure in failures] == [True]


def test_what_a_preview_does_not_know_is_no_mistake_and_no_change() -> None:
    props = {"name": "a", "collections": ["c"], "access": "rw", "identity": "x", "admin": {"port": 1.0}}
    unknown = {**props, "identity": UNKNOWN, "admin": {"port": UNKNOWN}}
    assert LOGIN.check(props, unknown).failures == []
    assert LOGIN.diff("a", {**props, "token_id": "t", "live_id": "t"}, unknown).changes is False
