"""What a difference means: nothing, an update, another object."""

import copy
from typing import Any

import pytest

from engine.providers.base import Old
from engine.providers.kubernetes.plan import plan
from engine.providers.kubernetes.quantities import quantity
from engine.values import INPUTS, UNKNOWN

STATEFUL_SET: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "db", "namespace": "storage", "labels": {"app": "db"}},
    "spec": {
        "replicas": 1,
        "serviceName": "db",
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "postgres",
                        "image": "postgres:17",
                        "resources": {"requests": {"cpu": "1000m", "memory": "1024Mi"}},
                    }
                ]
            }
        },
    },
}


def old(inputs: dict[str, Any], **live: Any) -> Old:
    """As recorded after it was made; the server has added its defaults, and what `live` says was changed by hand."""
    outputs = copy.deepcopy(inputs)
    outputs["metadata"] |= {"uid": "1", "resourceVersion": "7"}
    outputs["status"] = {"phase": "Active"}
    outputs.setdefault("spec", {})["defaulted"] = True
    outputs["spec"] |= live
    return Old("storage/db", inputs, {**outputs, INPUTS: copy.deepcopy(inputs)})


def changed(path: str, value: Any, base: dict[str, Any] = STATEFUL_SET) -> dict[str, Any]:
    """A copy of `base` with another value at `path` (`spec.replicas`; `.0.` for the first of a list)."""
    result = copy.deepcopy(base)
    *parents, last = path.split(".")
    node: Any = result
    for key in parents:
        node = node[int(key)] if isinstance(node, list) else node.setdefault(key, {})
    node[last] = value
    return result


def test_what_the_server_added_is_no_change() -> None:
    assert not plan(old(STATEFUL_SET), copy.deepcopy(STATEFUL_SET)).changed


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.template.spec.containers.0.resources.requests.cpu", "1"),
        ("spec.template.spec.containers.0.resources.requests.memory", "1Gi"),
        ("spec.template.spec.nodeSelector", {}),
        ("spec.replicas", "1"),
    ],
)
def test_another_spelling_is_no_change(path: str, value: Any) -> None:
    assert not plan(old(STATEFUL_SET), changed(path, value)).changed


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        ("spec.replicas", 2, "spec.replicas"),
        ("metadata.labels.tier", "data", "metadata.labels.tier"),
        ("spec.template.spec.containers.0.image", "postgres:18", "spec.template.spec.containers[0].image"),
        ("spec.template.spec.containers.0.image", UNKNOWN, "spec.template.spec.containers[0].image"),
    ],
)
def test_an_update_is_named_by_its_path(path: str, value: Any, shown: str) -> None:
    diff = plan(old(STATEFUL_SET), changed(path, value))
    assert (diff.changed, diff.paths, diff.replaces) == (True, (shown,), ())


def test_what_was_changed_by_hand_is_changed_back() -> None:
    assert plan(old(STATEFUL_SET, replicas=5), copy.deepcopy(STATEFUL_SET)).paths == ("spec.replicas",)


def test_what_is_taken_away_is_a_change() -> None:
    without = copy.deepcopy(STATEFUL_SET)
    del without["metadata"]["labels"]
    assert plan(old(STATEFUL_SET), without).paths == ("metadata.labels",)


def test_ignored_paths_are_ignored_with_all_below_them() -> None:
    new = changed("spec.template.spec.containers.0.image", "postgres:18")
    assert not plan(old(STATEFUL_SET), new, ignored=("spec.template",)).changed
    assert plan(old(STATEFUL_SET), new, ignored=("spec.temp",)).changed


@pytest.mark.parametrize("path", ["spec.serviceName", "spec.selector", "spec.volumeClaimTemplates", "metadata.name"])
def test_what_the_api_refuses_to_change_is_another_object(path: str) -> None:
    diff = plan(old(STATEFUL_SET), changed(path, "other"))
    assert diff.replaces == (path.partition(".")[0],)


def test_a_name_that_stays_is_freed_first() -> None:
    """Two objects of one name can't be; under another name, or a made one, the new can come first."""
    assert plan(old(STATEFUL_SET), changed("spec.serviceName", "other")).delete_before_replace
    renamed = changed("metadata.name", "other")
    assert not plan(old(STATEFUL_SET), renamed).delete_before_replace
    made = changed("metadata.annotations", {"pulumi.com/autonamed": "true"})
    assert not plan(old(made), changed("spec.serviceName", "other", made)).delete_before_replace


def test_no_namespace_is_the_default_one() -> None:
    inputs = changed("metadata", {"name": "db"})
    assert not plan(old(inputs), changed("metadata", {"name": "db", "namespace": "default"})).changed


def test_data_of_a_secret_is_replaced_unless_the_provider_lets_it_change() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "data": {"password": "eA=="}}
    other = {**secret, "data": {"password": "eQ=="}}
    assert plan(old(secret), other).replaces == ("data",)
    assert plan(old(secret), other, data_changes=frozenset({"Secret"})).replaces == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [("1", "1000m"), ("1Gi", "1024Mi"), ("1G", "1000M"), ("0.5", "500m"), (2, "2"), ("1.5Gi", "1536Mi")],
)
def test_equal_quantities_are_equal(one: Any, other: Any) -> None:
    assert quantity(one) == quantity(other) is not None


@pytest.mark.parametrize("text", ["", "postgres", "Gi", "1.2.3", "10Zi"])
def test_other_texts_are_no_quantities(text: str) -> None:
    assert quantity(text) is None
