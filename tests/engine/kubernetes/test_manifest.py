"""What is sent and recorded of a Kubernetes object."""

from typing import Any

import pytest

from engine.providers.base import Call
from engine.providers.kubernetes.manifest import CLUSTER_SCOPED, group_kind, named, normalised, object_id, pruned
from engine.values import UNKNOWN

CALL = Call(urn="urn:pulumi:dev::strata::kubernetes:core/v1:Secret::db", type="kubernetes:core/v1:Secret", name="db")


def secret(**more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {}, **more}


def test_a_secrets_texts_are_sent_as_data_beside_what_is_there() -> None:
    manifest = normalised(secret(data={"kept": "eA=="}, stringData={"password": "ö", "later": UNKNOWN}))
    assert manifest["data"] == {"kept": "eA==", "password": "w7Y=", "later": UNKNOWN}
    assert "stringData" not in manifest


def test_texts_that_a_preview_does_not_know_stay_unknown() -> None:
    assert normalised(secret(stringData=UNKNOWN))["data"] is UNKNOWN


def test_nulls_and_what_the_server_writes_are_left_out() -> None:
    metadata: dict[str, Any] = {"name": "db", "uid": "1", "resourceVersion": "2", "labels": None, "managedFields": []}
    manifest = normalised(secret(metadata=metadata, type=None, status={"phase": "x"}))
    assert manifest == {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}}


def test_whole_numbers_are_integers() -> None:
    spec = {"replicas": 2.0, "ratio": 0.5, "ports": [{"port": 80.0}]}
    assert normalised(secret(spec=spec))["spec"] == {"replicas": 2, "ratio": 0.5, "ports": [{"port": 80}]}
    assert isinstance(normalised(secret(spec=spec))["spec"]["replicas"], int)


def test_a_name_is_made_once_and_kept() -> None:
    first = named(CALL, None, secret(), "storage")
    assert first["metadata"]["name"].startswith("db-")
    assert len(first["metadata"]["name"]) == len("db-12345678")
    assert first["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}
    assert named(CALL, first, secret(), "storage") == first


def test_a_given_name_is_not_taken_over_by_a_made_one() -> None:
    given = named(CALL, None, secret(metadata={"name": "mine"}), None)
    assert given["metadata"] == {"name": "mine"}
    assert named(CALL, given, secret(), None)["metadata"]["name"] != "mine"


@pytest.mark.parametrize(("namespace", "id"), [("storage", "storage/mine"), (None, "mine")])
def test_the_id_is_namespace_and_name(namespace: str | None, id: str) -> None:
    assert object_id(named(CALL, None, secret(metadata={"name": "mine"}), namespace)) == id


def test_groups_and_kinds_are_told_apart() -> None:
    assert group_kind({"apiVersion": "v1", "kind": "Namespace"}) in CLUSTER_SCOPED
    assert group_kind({"apiVersion": "apps/v1", "kind": "StatefulSet"}) == ("apps", "StatefulSet")


def test_what_nobody_asked_for_is_cut_off() -> None:
    live = {"spec": {"replicas": 1, "paused": False, "containers": [{"name": "a", "added": 1}]}}
    shape = {"spec": {"replicas": 3, "containers": [{"name": "a"}], "absent": 1}}
    assert pruned(live, shape) == {"spec": {"replicas": 1, "containers": [{"name": "a"}]}}


def test_what_others_add_to_a_list_of_named_things_is_theirs() -> None:
    live = {"containers": [{"name": "injected"}, {"name": "b", "image": "2"}, {"name": "a", "image": "1"}]}
    shape = {"containers": [{"name": "a", "image": "0"}, {"name": "b", "image": "0"}]}
    assert pruned(live, shape) == {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "2"}]}


@pytest.mark.parametrize(
    ("live", "shape"),
    [
        ({"ingress": [{"from": [1]}, {}]}, {"ingress": [{"from": [1]}]}),
        ({"subjects": [{"name": "a"}, {"name": "b"}]}, {"subjects": [{"name": "a"}]}),
        ({"podSelector": {"matchLabels": {"a": "b"}}}, {"podSelector": {}}),
        ({"selector": {"app": "db", "tier": "x"}}, {"selector": {"app": "db"}}),
    ],
)
def test_what_others_add_to_what_is_a_whole_is_seen(live: dict[str, Any], shape: dict[str, Any]) -> None:
    """One rule more in a network policy, one subject more in a role's binding."""
    assert pruned(live, shape) == live
