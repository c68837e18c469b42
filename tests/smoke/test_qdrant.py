"""Qdrant as every application that has collections: they work over REST, and nothing beyond them."""

import base64
import json
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import yaml

from components.jwt_hs256 import claims, sign
from infra.contract import Collection, StackContract
from tests.smoke import clients

pytestmark = pytest.mark.quick

Request = Callable[..., tuple[int, Any]]
ABSENT = "strata-smoke-no-such-collection"
MARK = "strata_smoke"  # the payload field of points that these tests write


@pytest.fixture
def app(contract: StackContract) -> str:
    names = [name for name, slices in contract.applications.items() if slices.qdrant]
    if not names:
        pytest.skip("no application of this stack has collections")
    return names[0]


@pytest.fixture
def request_(contract: StackContract, app: str) -> Request:
    """Status and answer of a request with the application's token, or with `key`."""
    return partial(clients.qdrant_request, contract, app)


@pytest.fixture
def collections(contract: StackContract, app: str) -> dict[str, Collection]:
    return clients.qdrant_slice(contract, app).collections


@pytest.fixture
def own(collections: dict[str, Collection]) -> Collection:
    return next(iter(collections.values()))


@pytest.fixture
def point(request_: Request, collections: dict[str, Collection]) -> Iterator[str]:
    """The id of a point that nobody else uses, in any collection; it goes at the end."""
    made = str(uuid.uuid4())
    yield made
    for collection in collections.values():
        request_("POST", f"/collections/{collection.name}/points/delete?wait=true", {"points": [made]})


def vector(collection: Collection) -> Any:
    """One that is like no other, for every vector of the collection."""

    def dense(size: int) -> list[float]:
        return [1.0, *[0.0] * (size - 1)]

    named = {name: dense(vector.size) for name, vector in collection.vectors.items()}
    return named or dense(collection.size or 0)


def put(request_: Request, collection: Collection, id_: str, **more: Any) -> tuple[int, Any]:
    points = [{"id": id_, "vector": vector(collection), "payload": {MARK: id_}}]
    return request_("PUT", f"/collections/{collection.name}/points?wait=true", {"points": points}, **more)


def stored(request_: Request, collection: Collection, id_: str) -> bool:
    body = {"ids": [id_], "with_payload": False}
    status, answer = request_("POST", f"/collections/{collection.name}/points", body)
    assert status == 200, answer
    return bool(answer["result"])


def test_a_point_written_to_each_collection_is_found(
    request_: Request, collections: dict[str, Collection], point: str
) -> None:
    for collection in collections.values():
        where = f"/collections/{collection.name}"
        assert put(request_, collection, point)[0] == 200
        mine = {"must": [{"key": MARK, "match": {"value": point}}]}
        for using in collection.vectors or [None]:
            query = {"query": _one(vector(collection), using), "filter": mine, **({"using": using} if using else {})}
            status, answer = request_("POST", f"{where}/points/query", {**query, "with_payload": True})
            assert status == 200, answer
            assert [found["id"] for found in answer["result"]["points"]] == [point]
            assert answer["result"]["points"][0]["payload"] == {MARK: point}
        assert request_("POST", f"{where}/points/delete?wait=true", {"points": [point]})[0] == 200
        assert not stored(request_, collection, point)


def _one(vectors: Any, using: str | None) -> Any:
    return vectors[using] if using else vectors


def test_the_server_is_the_version_that_the_contract_says(contract: StackContract, request_: Request) -> None:
    assert contract.backends.qdrant
    status, answer = request_("GET", "/")
    assert (status, answer["version"]) == (200, contract.backends.qdrant.version)


def test_collections_have_the_vectors_that_the_contract_says(
    request_: Request, collections: dict[str, Collection]
) -> None:
    for collection in collections.values():
        status, answer = request_("GET", f"/collections/{collection.name}")
        assert status == 200, answer
        found = answer["result"]["config"]["params"]["vectors"]
        named = {"": found} if not collection.vectors else found
        found = {name: (v["size"], v["distance"]) for name, v in named.items()}
        if collection.vectors:
            assert found == {name: (v.size, v.distance) for name, v in collection.vectors.items()}
        else:
            assert found == {"": (collection.size, collection.distance)}


def test_payload_fields_are_indexed_as_the_application_declares(
    request_: Request, app: str, collections: dict[str, Collection], pytestconfig: pytest.Config
) -> None:
    path = pytestconfig.rootpath / "applications" / app / "application.yaml"
    if not path.exists():
        pytest.skip(f"{path} is not in this checkout")
    claimed = yaml.safe_load(path.read_text(encoding="utf-8"))["qdrant"]["collections"]
    for name, claim in claimed.items():
        schema = request_("GET", f"/collections/{collections[name].name}")[1]["result"].get("payload_schema") or {}
        indexed = {field: index["data_type"] for field, index in schema.items()}
        assert {field: indexed.get(field) for field in claim.get("indexes", {})} == claim.get("indexes", {})


def test_a_vector_of_another_size_is_refused(request_: Request, own: Collection, point: str) -> None:
    wrong = {"id": point, "vector": {name: [1.0] for name in own.vectors} or [1.0]}
    if own.size == 1 or any(vector.size == 1 for vector in own.vectors.values()):
        pytest.skip("vectors of this collection have one dimension")
    status, answer = request_("PUT", f"/collections/{own.name}/points?wait=true", {"points": [wrong]})
    assert status == 400
    assert "dimension" in json.dumps(answer)
    assert not stored(request_, own, point)


def test_the_token_before_the_last_rotation_still_works(
    contract: StackContract, app: str, request_: Request, own: Collection, point: str
) -> None:
    previous = clients.qdrant_credential(contract, app).previous
    if previous is None:
        pytest.skip("this platform keeps one token")
    assert put(request_, own, point, key=previous.password.get_secret_value())[0] == 200
    assert stored(request_, own, point)


NOTHING = {"points": [str(uuid.UUID(int=1))]}  # to delete: a point that is not there

# Each would harm if it were allowed, so each is written such that an allowed one changes nothing or fails on its
# arguments: Qdrant checks permission first.
FORBIDDEN: dict[str, tuple[str, str, dict[str, Any] | None]] = {
    "see who may log in": ("POST", "/collections/strata_logins/points/scroll", {}),
    "end a login": ("POST", "/collections/strata_logins/points/delete", NOTHING),
    "look at the logins": ("GET", "/collections/strata_logins", None),
    "list snapshots of the logins": ("GET", "/collections/strata_logins/snapshots", None),
    "take vectors of another collection": (
        "POST",
        "/collections/{own}/points/query",
        {"query": str(uuid.UUID(int=1)), "lookup_from": {"collection": "strata_logins"}},
    ),
    "read what is not declared": ("POST", f"/collections/{ABSENT}/points/scroll", {}),
    "write what is not declared": ("POST", f"/collections/{ABSENT}/points/delete", NOTHING),
    "learn whether it exists": ("GET", f"/collections/{ABSENT}/exists", None),
    "make a collection": ("PUT", "/collections/{own}", {"vectors": {"size": 1, "distance": "Dot"}}),  # which is there
    "delete a collection": ("DELETE", f"/collections/{ABSENT}", None),
    "change its own collection": ("PATCH", "/collections/{own}", {"optimizers_config": {}}),
    "restore its own collection": ("PUT", "/collections/{own}/snapshots/recover", {"location": "file:///nowhere"}),
    "give a collection another name": ("POST", "/collections/aliases", {"actions": []}),
    "read metrics": ("GET", "/metrics", None),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_an_application_cannot(request_: Request, own: Collection, what: str) -> None:
    method, path, body = FORBIDDEN[what]
    status, answer = request_(method, path.format(own=own.name), body)
    assert status == 403, answer


def test_telemetry_describes_nothing_of_others(request_: Request, collections: dict[str, Collection]) -> None:
    """Qdrant answers a token with the collections that it reaches. (The names of others stand among its snapshots.)"""
    status, answer = request_("GET", "/telemetry?details_level=10")
    told = answer["result"]["collections"] if status == 200 else {}
    assert {each["id"] for each in told.get("collections") or []} <= {each.name for each in collections.values()}
    assert told.get("number_of_collections", 0) <= len(collections)


def test_it_sees_no_other_collections_by_name(request_: Request, collections: dict[str, Collection]) -> None:
    status, answer = request_("GET", "/collections")
    assert status == 200, answer
    assert {each["name"] for each in answer["result"]["collections"]} == {c.name for c in collections.values()}


# What writes, with points that are not there.
WRITES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "delete points": ("POST", "points/delete", NOTHING),
    "change payloads": ("POST", "points/payload", {"payload": {MARK: "x"}, **NOTHING}),
    "replace payloads": ("PUT", "points/payload", {"payload": {MARK: "x"}, **NOTHING}),
    "clear payloads": ("POST", "points/payload/clear", NOTHING),
    "delete vectors": ("POST", "points/vectors/delete", {"vector": [""], **NOTHING}),
    "do many things": ("POST", "points/batch", {"operations": [{"delete": NOTHING}]}),
    "make an index": ("PUT", "index", {"field_name": MARK, "field_schema": "keyword"}),
    "remove an index": ("DELETE", f"index/{MARK}", {}),
}


def test_the_login_that_only_reads_reads_and_writes_nothing(
    contract: StackContract, app: str, request_: Request, own: Collection, point: str
) -> None:
    reader = clients.qdrant_credential(contract, app).readonly
    if reader is None:
        pytest.skip("this platform has no such login")
    key = reader.password.get_secret_value()
    assert put(request_, own, point)[0] == 200
    asked = request_("POST", f"/collections/{own.name}/points", {"ids": [point]}, key=key)[1]
    assert [found["id"] for found in asked["result"]] == [point]
    assert put(request_, own, point, key=key)[0] == 403
    for what, (method, path, body) in WRITES.items():
        status, answer = request_(method, f"/collections/{own.name}/{path}", body, key=key)
        assert status == 403, f"it may {what}: {answer}"
    for what in ("see who may log in", "read what is not declared", "delete a collection"):
        method, path, body = FORBIDDEN[what]  # type: ignore[assignment]
        assert request_(method, path, body, key=key)[0] == 403, f"it may {what}"


def altered(token: str) -> str:
    """The token with more rights, and its old signature."""
    header, _, signature = token.split(".")
    body = base64.urlsafe_b64encode(json.dumps({**claims(token), "access": "m"}).encode()).rstrip(b"=").decode()
    return f"{header}.{body}.{signature}"


def test_a_stranger_is_refused(contract: StackContract, app: str, request_: Request, own: Collection) -> None:
    token = clients.qdrant_credential(contract, app).password.get_secret_value()
    postgres = contract.credentials[app].postgres
    strangers = {
        "nobody": "",
        "a wrong key": "not-the-key",
        "the password of another backend": postgres.password.get_secret_value() if postgres else "x",
        "a token of another signer": sign(claims(token), "not-the-key"),
        "an administrator of another signer": sign({"access": "m"}, "not-the-key"),
        "a token that was altered": altered(token),
        "a token without a signature": token.rpartition(".")[0] + ".",
        "the application's name": app,
    }
    for who, key in strangers.items():
        for method, path, body in (
            ("GET", "/collections", None),
            ("POST", f"/collections/{own.name}/points/scroll", {"limit": 1}),
            ("POST", f"/collections/{own.name}/points/delete", NOTHING),
        ):
            status, _ = request_(method, path, body, key=key)
            assert status in (401, 403), f"{who} was let in by {method} {path}"


def test_health_is_for_everybody_and_nothing_else_is(request_: Request, own: Collection) -> None:
    assert {path: request_("GET", path, key="")[0] for path in ("/healthz", "/livez", "/readyz")} == {
        "/healthz": 200,
        "/livez": 200,
        "/readyz": 200,
    }
    for path in ("/collections", f"/collections/{own.name}", "/metrics", "/telemetry", "/aliases"):
        assert request_("GET", path, key="")[0] == 401, f"{path} is open to everybody"
