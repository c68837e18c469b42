"""Collections: made as declared, adopted with their points, and never changed in a way that loses vectors."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pulumi.output import UNKNOWN
from qdrant_client import QdrantClient, models

from components.slices import SliceError
from components.slices.resource import Props
from tests.slices.qdrant_inside import (
    COLLECTION,
    VECTOR,
    admin,
    collection,
    fresh_name,
    looked_at,
    made,
    put,
    schema,
    updated,
)
from tests.slices.servers import Server

TWO = {
    "text": {"size": 3.0, "distance": "Cosine", "on_disk": True, "multivector": False},
    "size": {"size": 2.0, "distance": "Manhattan", "on_disk": False, "multivector": True},  # a word of Qdrant's own
}


@pytest.fixture
def name(qdrant: Server) -> Iterator[str]:
    with fresh_name(qdrant) as made:
        yield made


@pytest.mark.docker
def test_a_collection_is_as_declared(qdrant: Server, name: str) -> None:
    made(COLLECTION, collection(qdrant, name, indexes={"kind": "keyword"}))
    with admin(qdrant) as client:
        found = client.get_collection(name)
    vectors = found.config.params.vectors
    assert isinstance(vectors, models.VectorParams)
    assert (vectors.size, vectors.distance) == (2, models.Distance.DOT)
    assert found.config.params.on_disk_payload is True
    assert schema(qdrant, name) == {"kind": "keyword"}


@pytest.mark.docker
def test_named_vectors_are_as_declared_whatever_their_names(qdrant: Server, name: str) -> None:
    props = collection(qdrant, name, vectors=TWO)
    outputs = made(COLLECTION, props)
    with admin(qdrant) as client:
        vectors = client.get_collection(name).config.params.vectors
    assert isinstance(vectors, dict)
    assert {key: (v.size, v.distance.value, bool(v.on_disk)) for key, v in vectors.items()} == {
        "text": (3, "Cosine", True),
        "size": (2, "Manhattan", False),
    }
    assert vectors["size"].multivector_config
    assert COLLECTION.diff("", looked_at(COLLECTION, outputs), props).changes is False
    assert COLLECTION.diff("", updated(COLLECTION, outputs, props), props).changes is False


@pytest.mark.docker
@pytest.mark.parametrize("vectors", [VECTOR, TWO], ids=["unnamed", "named"])
def test_nothing_changes_nothing(qdrant: Server, name: str, vectors: Props) -> None:
    props = collection(qdrant, name, vectors=vectors, indexes={"a.b[].c": "datetime", "at": "integer"})
    outputs = made(COLLECTION, props)
    assert COLLECTION.diff(name, outputs, props).changes is False
    assert COLLECTION.diff(name, looked_at(COLLECTION, outputs), props).changes is False
    again = updated(COLLECTION, outputs, props)
    assert COLLECTION.diff(name, again, props).changes is False
    assert COLLECTION.check(props, props).failures == []


@pytest.mark.docker
def test_a_kept_collection_is_adopted_with_its_points_and_delete_never_deletes_them(qdrant: Server, name: str) -> None:
    with admin(qdrant) as client:
        client.create_collection(name, models.VectorParams(size=2, distance=models.Distance.DOT))
        put(client, name, kind="kept")
        outputs = made(COLLECTION, collection(qdrant, name, indexes={"kind": "keyword"}))
        assert client.count(name).count == 1
        with pytest.raises(SliceError, match=f"the collection `{name}` has 1 points and is kept"):
            COLLECTION.delete(name, outputs)
        assert client.retrieve(name, [1])[0].payload == {"kind": "kept"}
        client.delete(name, [1])
        COLLECTION.delete(name, outputs)
        assert not client.collection_exists(name)
    assert COLLECTION.read(name, outputs).id == ""
    COLLECTION.delete(name, outputs)


LOSSES: list[tuple[Props, Props, str]] = [
    (VECTOR, {"": {**VECTOR[""], "size": 3.0}}, "size of the vector is 2 and would be 3"),
    (VECTOR, {"": {**VECTOR[""], "distance": "Cosine"}}, "distance of the vector is Dot and would be Cosine"),
    (VECTOR, {"": {**VECTOR[""], "multivector": True}}, "multivector of the vector is false and would be true"),
    (VECTOR, {"text": VECTOR[""]}, "the vector `text` is new"),
    (TWO, {"text": TWO["text"]}, "the vector `size` is missing"),
    (TWO, {**TWO, "text": {**TWO["text"], "size": 4.0}}, "size of the vector `text` is 3 and would be 4"),
]


@pytest.mark.parametrize(("before", "after", "says"), LOSSES, ids=[loss[2] for loss in LOSSES])
def test_what_would_lose_vectors_is_refused_by_the_plan(before: Props, after: Props, says: str) -> None:
    two = "text: {size: 3, distance: Cosine, on_disk: true}"
    line = "`vector: {size: 2, distance: Dot}`" if before is VECTOR else two
    olds, news = {"name": "c", "vectors": before}, {"name": "c", "vectors": after}
    reasons = [failure.reason for failure in COLLECTION.check(olds, news).failures]
    assert any(says in reason for reason in reasons), reasons
    assert len(reasons) == 1
    assert "the collection `c`: " in reasons[0]
    assert line in reasons[0], "the message has to say what to write instead"
    assert "another collection" in reasons[0]
    assert COLLECTION.check(olds, {**news, "name": "d"}).failures == []
    assert COLLECTION.check({}, news).failures == []


@pytest.mark.docker
@pytest.mark.parametrize(("before", "after", "says"), LOSSES, ids=[loss[2] for loss in LOSSES])
def test_what_would_lose_vectors_is_refused_by_the_server_s_own_word(
    qdrant: Server, name: str, before: Props, after: Props, says: str
) -> None:
    """Of an adopted collection no plan knows what it was declared like."""
    made(COLLECTION, collection(qdrant, name, vectors=before))
    with pytest.raises(SliceError, match=f"the collection `{name}`: .*Write .*another collection") as caught:
        COLLECTION.create(collection(qdrant, name, vectors=after, indexes={"kind": "keyword"}))
    assert says in str(caught.value)
    assert schema(qdrant, name) == {}, "a refused change was half carried out"
    made(COLLECTION, collection(qdrant, name, vectors=before))


@pytest.mark.docker
def test_a_collection_that_was_made_anew_by_hand_is_found_and_refused(qdrant: Server, name: str) -> None:
    props = collection(qdrant, name)
    outputs = made(COLLECTION, props)
    with admin(qdrant) as client:
        client.delete_collection(name)
        client.create_collection(name, models.VectorParams(size=5, distance=models.Distance.DOT))
    found = looked_at(COLLECTION, outputs)
    assert COLLECTION.diff(name, found, props).changes is True
    with pytest.raises(SliceError, match="size of the vector is 5 and would be 2"):
        COLLECTION.update(name, found, props)


@pytest.mark.docker
def test_indexes_follow_the_declaration_and_leave_others_alone(qdrant: Server, name: str) -> None:
    props = collection(qdrant, name, indexes={"kind": "keyword", "count": "integer", "at": "datetime"})
    outputs = made(COLLECTION, props)
    with admin(qdrant) as client:
        put(client, name, kind="a", count=1)
        client.create_payload_index(name, "theirs", models.PayloadSchemaType.BOOL, wait=True)
    assert COLLECTION.diff(name, looked_at(COLLECTION, outputs), props).changes is False, "it was no drift of Strata's"
    wanted = {**props, "indexes": {"kind": "keyword", "count": "float", "new": "uuid"}}
    assert COLLECTION.diff(name, outputs, wanted).changes is True
    outputs = updated(COLLECTION, outputs, wanted)
    assert schema(qdrant, name) == {"kind": "keyword", "count": "float", "new": "uuid", "theirs": "bool"}
    assert COLLECTION.diff(name, looked_at(COLLECTION, outputs), wanted).changes is False
    with admin(qdrant) as client:
        assert client.count(name).count == 1, "an index cost a point"


@pytest.mark.docker
def test_every_type_of_index_that_can_be_declared_is_made_and_found_as_it_is(qdrant: Server, name: str) -> None:
    types = ("keyword", "integer", "float", "bool", "geo", "datetime", "text", "uuid")
    props = collection(qdrant, name, indexes={f"of_{type_}": type_ for type_ in types})
    outputs = made(COLLECTION, props)
    assert schema(qdrant, name) == props["indexes"]
    assert COLLECTION.diff(name, looked_at(COLLECTION, outputs), props).changes is False


def drop(client: QdrantClient, name: str) -> None:
    client.delete_payload_index(name, "kind", wait=True)


def retype(client: QdrantClient, name: str) -> None:
    drop(client, name)
    client.create_payload_index(name, "kind", models.PayloadSchemaType.INTEGER, wait=True)


def move(client: QdrantClient, name: str) -> None:
    client.update_collection(name, vectors_config={"": models.VectorParamsDiff(on_disk=True)})


def move_payload(client: QdrantClient, name: str) -> None:
    client.update_collection(name, collection_params=models.CollectionParamsDiff(on_disk_payload=False))


@pytest.mark.docker
@pytest.mark.parametrize("by_hand", [drop, retype, move, move_payload], ids=lambda change: str(change.__name__))
def test_drift_is_found_by_refresh_and_put_right(
    qdrant: Server, name: str, by_hand: Callable[[QdrantClient, str], None]
) -> None:
    props = collection(qdrant, name, indexes={"kind": "keyword"})
    outputs = made(COLLECTION, props)
    with admin(qdrant) as client:
        put(client, name, kind="kept")
        by_hand(client, name)
    found = looked_at(COLLECTION, outputs)
    assert COLLECTION.diff(name, found, props).changes is True
    outputs = updated(COLLECTION, found, props)
    assert COLLECTION.diff(name, looked_at(COLLECTION, outputs), props).changes is False
    assert schema(qdrant, name) == {"kind": "keyword"}
    with admin(qdrant) as client:
        assert client.retrieve(name, [1])[0].payload == {"kind": "kept"}


@pytest.mark.docker
@pytest.mark.parametrize(
    "change",
    [
        {"vectors": {"": {**VECTOR[""], "on_disk": True}}},
        {"on_disk_payload": False},
        {"vectors": {"": {**VECTOR[""], "on_disk": True}}, "on_disk_payload": False},
        {"identity": "another"},
    ],
    ids=["vectors", "payload", "both", "identity"],
)
def test_what_can_change_in_place_does_and_keeps_the_points(qdrant: Server, name: str, change: dict[str, Any]) -> None:
    props = collection(qdrant, name)
    outputs, wanted = made(COLLECTION, props), {**props, **change}
    with admin(qdrant) as client:
        put(client, name)
        assert COLLECTION.check(props, wanted).failures == []
        assert COLLECTION.diff(name, outputs, wanted).changes is True
        assert COLLECTION.diff(name, outputs, wanted).replaces == []
        outputs = updated(COLLECTION, outputs, wanted)
        assert COLLECTION.diff(name, looked_at(COLLECTION, outputs), wanted).changes is False
        params = client.get_collection(name).config.params
        assert client.count(name).count == 1
    assert isinstance(params.vectors, models.VectorParams)
    assert bool(params.vectors.on_disk) == bool(wanted["vectors"][""]["on_disk"])
    assert bool(params.on_disk_payload) == wanted["on_disk_payload"]


@pytest.mark.docker
def test_the_vectors_of_a_volume_that_was_replaced_are_declared_anew(qdrant: Server, name: str) -> None:
    props = collection(qdrant, name, indexes={"kind": "keyword"})
    outputs = made(COLLECTION, props)
    with admin(qdrant) as client:
        client.delete_collection(name)
    updated(COLLECTION, outputs, {**props, "identity": "another"})
    assert schema(qdrant, name) == {"kind": "keyword"}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"name": "a b"}, "would need quoting"),
        ({"name": "a/b"}, "would need quoting"),
        ({"name": "n" * 256}, "at most 255"),
        ({"name": "strata_logins"}, "belongs to the backend itself"),
    ],
)
def test_mistakes_are_refused_by_the_plan(change: Props, complaint: str) -> None:
    failures = COLLECTION.check({}, {"vectors": VECTOR, **change}).failures
    assert [complaint in failure.reason for failure in failures] == [True]


def test_what_a_preview_does_not_know_is_no_mistake_and_no_change() -> None:
    props = {"name": "c", "vectors": VECTOR, "indexes": {}, "on_disk_payload": True, "identity": "x", "admin": {}}
    unknown = {**props, "identity": UNKNOWN, "admin": {"port": UNKNOWN}}
    assert COLLECTION.check(props, unknown).failures == []
    settings = {"vectors": VECTOR, "indexes": {}, "on_disk_payload": True}
    assert COLLECTION.diff("c", {**props, "settings": settings}, unknown).changes is False
    changed = {**unknown, "vectors": {"": {**VECTOR[""], "size": 3.0}}}
    assert COLLECTION.check(props, changed).failures, "an unknown identity hid a change that loses vectors"
