"""A collection: its vectors, and the payload fields that filters find by an index.

Points are nobody's to delete here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import pulumi
from pulumi.dynamic import CheckFailure, Resource

from components.slices.admin import Address, AdminRef
from components.slices.errors import SliceError
from components.slices.qdrant.connection import Connection, collection_problems, connect
from components.slices.resource import Props, SliceProvider, inputs_of, is_known

FIXED: Final = ("size", "distance", "multivector")


@dataclass(frozen=True, kw_only=True)
class CollectionArgs:
    """`vectors` maps a vector's name (empty: the unnamed one) to {size, distance, on_disk}.

    `size` is the number of dimensions, `distance` one of Cosine, Dot, Euclid and Manhattan. `indexes` maps a payload
    field to its type, in Qdrant's words: keyword, integer, float, bool, geo, datetime, text, uuid.
    """

    admin: AdminRef
    identity: pulumi.Input[str]
    name: str
    vectors: Mapping[str, Mapping[str, Any]]
    indexes: Mapping[str, str]
    on_disk_payload: bool = True


class CollectionProvider(SliceProvider):
    """An existing collection of that name is adopted with its points. `settings` is what the server has.

    Its vectors cannot change without being lost, so another size or distance is refused: in the plan, from what was
    declared before, and again by `apply`, from what the server has.
    """

    client: ClassVar = "urllib3"
    compared: ClassVar = ("vectors", "indexes", "on_disk_payload")
    replacing: ClassVar = ("name",)

    def failures(self, olds: Props, news: Props) -> list[CheckFailure]:
        found = collection_problems("name", news["name"])
        before, after = olds.get("vectors"), news.get("vectors")
        if olds.get("name") == news["name"] and before and is_known(before) and is_known(after):
            refusal = _refusal(news["name"], before, after or {})
            found += [CheckFailure("vectors", refusal)] if refusal else []
        return found

    def drifted(self, olds: Props, news: Props) -> bool:
        return bool(olds.get("settings") != _wanted(news))

    def apply(self, props: Props, olds: Props | None = None) -> Props:
        name, wanted = props["name"], _wanted(props)
        with connect(Address.of(props)) as connection:
            live = connection.collection(name)
            if live is None:
                body = {"vectors": _vectors(wanted), "on_disk_payload": wanted["on_disk_payload"]}
                connection.create_collection(name, body)
            else:
                _adopt(connection, name, wanted, _settings(live))
            _index(connection, name, wanted["indexes"], olds)
        return {"settings": wanted}

    def live(self, props: Props) -> Props | None:
        with connect(Address.of(props)) as connection:
            live = connection.collection(props["name"])
        if live is None:
            return None
        found, wanted = _settings(live), _wanted(props)
        # An index that somebody made beside the declared ones costs memory and breaks nothing.
        found["indexes"] = {field: type_ for field, type_ in found["indexes"].items() if field in wanted["indexes"]}
        return {"settings": found}

    def delete(self, id_: str, props: Props) -> None:
        """Remove an empty collection. Raises SliceError for one that has points: they are never deleted here."""
        name, address = props["name"], Address.of(props)
        with connect(address) as connection:
            live = connection.collection(name)
            if live is None:
                return
            if live.get("points_count"):
                raise SliceError(
                    f"Qdrant at {address}: the collection `{name}` has {live['points_count']} points and is kept."
                    " Delete it with a Qdrant client first"
                )
            connection.delete_collection(name)


class Collection(Resource, module="strata", name="Collection"):
    """A collection. Declare it with `retain_on_delete`."""

    name: pulumi.Output[str]

    def __init__(self, name: str, args: CollectionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(CollectionProvider(), name, inputs_of(args, "settings"), opts)


def _vector(params: Mapping[str, Any]) -> Props:
    """What is compared of a vector: numbers come from a state as floats."""
    multi = params.get("multivector_config")
    return {
        "size": int(params["size"]),
        "distance": str(params["distance"]),
        "on_disk": bool(params.get("on_disk") or False),
        "multivector": bool(params.get("multivector") or (multi or {}).get("comparator")),
    }


def _wanted(props: Props) -> Props:
    return {
        "vectors": {name: _vector(params) for name, params in (props.get("vectors") or {}).items()},
        "indexes": dict(props.get("indexes") or {}),
        "on_disk_payload": bool(props.get("on_disk_payload", True)),
    }


def _settings(live: Mapping[str, Any]) -> Props:
    """The same of a collection as the server describes it."""
    params = live["config"]["params"]
    vectors = params.get("vectors") or {}
    # Parameters of the unnamed vector, or parameters by name; one may be named `size`, too.
    named = vectors if all(isinstance(value, Mapping) for value in vectors.values()) else {"": vectors}
    return {
        "vectors": {name: _vector(found) for name, found in named.items()},
        "indexes": {field: found["data_type"] for field, found in (live.get("payload_schema") or {}).items()},
        "on_disk_payload": bool(params.get("on_disk_payload")),
    }


def _vectors(wanted: Props) -> dict[str, Any]:
    def request(params: Props) -> dict[str, Any]:
        multi = {"multivector_config": {"comparator": "max_sim"}} if params["multivector"] else {}
        return {**{key: params[key] for key in ("size", "distance", "on_disk")}, **multi}

    vectors = {name: request(params) for name, params in wanted["vectors"].items()}
    return vectors.get("", vectors)


def _differences(before: Mapping[str, Props], after: Mapping[str, Props]) -> list[str]:
    """What of a collection's vectors would be lost."""
    found = []
    for name in before.keys() | after.keys():
        label = f"vector `{name}`" if name else "vector"
        if name not in after or name not in before:
            found.append(f"the {label} is {'missing' if name in before else 'new'}")
            continue
        old, new = before[name], after[name]
        found += [
            f"{key} of the {label} is {_yaml(old[key])} and would be {_yaml(new[key])}"
            for key in FIXED
            if old[key] != new[key]
        ]
    return sorted(found)


def _refusal(name: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> str | None:
    """Why the vectors of a collection cannot be made those of `news`, and what to write instead."""
    before = {vector: _vector(params) for vector, params in olds.items()}
    after = {vector: _vector(params) for vector, params in news.items()}
    differences = _differences(before, after)
    if not differences:
        return None
    return (
        f"the collection `{name}`: {'; '.join(differences)}. Its vectors would be lost. Write what it has:"
        f" `{_claim(before)}`. For other vectors declare another collection beside it, fill that one, then take this"
        " one away"
    )


def _claim(vectors: Mapping[str, Props]) -> str:
    """The vectors as an application claims them, on one line."""

    def one(params: Props) -> str:
        shown = {key: value for key, value in params.items() if value is not False}
        return "{" + ", ".join(f"{key}: {_yaml(value)}" for key, value in shown.items()) + "}"

    if "" in vectors:
        return f"vector: {one(vectors[''])}"
    return "vectors: {" + ", ".join(f"{name}: {one(params)}" for name, params in sorted(vectors.items())) + "}"


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _adopt(connection: Connection, name: str, wanted: Props, live: Props) -> None:
    refusal = _refusal(name, live["vectors"], wanted["vectors"])
    if refusal:
        raise SliceError(refusal)
    moved = {
        vector: {"on_disk": params["on_disk"]}
        for vector, params in wanted["vectors"].items()
        if params["on_disk"] != live["vectors"][vector]["on_disk"]
    }
    body: dict[str, Any] = {"vectors": moved} if moved else {}
    if wanted["on_disk_payload"] != live["on_disk_payload"]:
        body["params"] = {"on_disk_payload": wanted["on_disk_payload"]}
    if body:
        connection.update_collection(name, body)


def _index(connection: Connection, name: str, wanted: Mapping[str, str], olds: Props | None) -> None:
    """Declared ones are made, and those that are declared no more removed. Somebody else's stay."""
    found = _settings(connection.collection(name) or {"config": {"params": {}}})["indexes"]
    for field, type_ in wanted.items():
        if field in found and found[field] != type_:
            connection.delete_index(name, field)
        if found.get(field) != type_:
            connection.create_index(name, field, type_)
    for field in ((olds or {}).get("indexes") or {}).keys() - wanted.keys():
        connection.delete_index(name, field)
