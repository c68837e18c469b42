"""Whose an object is, and its fields: nothing is taken from others, and nothing of our own is given up."""

import json
from dataclasses import replace

import pytest

from engine.providers.base import ProviderError
from tests.cluster.engine.bench import Bench
from tests.cluster.engine.test_objects import UNCHANGED, settings


def test_what_another_program_manages_is_not_taken_from_it(bench: Bench) -> None:
    made = bench.create(settings("shared", {"a": "1"}))
    other = json.dumps(settings("shared", {"a": "2"}))
    command = ("apply", "--server-side", "--force-conflicts", "--field-manager=autoscaler", "-f", "-")
    bench.kubectl(*command, stdin=other)
    with pytest.raises(ProviderError, match=r'"autoscaler" has data\.a.*ignoreChanges.*patchForce'):
        bench.update(made, settings("shared", {"a": "3"}))
    # Where the program says that it ignores it, the other one keeps it.
    bench.update(made, settings("shared", {"a": "3", "b": "1"}), ignore_changes=("data.a",))
    assert bench.kubectl.get("configmap", "shared")["data"] == {"a": "2", "b": "1"}
    bench.update(made, settings("shared", {"a": "3"}, annotations={"pulumi.com/patchForce": "true"}))
    assert bench.kubectl.get("configmap", "shared")["data"] == {"a": "3"}


def test_what_is_there_already_is_not_taken_over_unless_the_program_says_so(bench: Bench) -> None:
    bench.kubectl("create", "configmap", "foreign", "--from-literal=a=1")
    with pytest.raises(ProviderError, match=r"it is there already.*kubectl-create.*patchForce"):
        bench.create(settings("foreign", {"a": "2"}))
    bench.create(settings("foreign", {"a": "2"}, annotations={"pulumi.com/patchForce": "true"}))
    assert bench.kubectl.get("configmap", "foreign")["data"] == {"a": "2"}


@pytest.mark.parametrize("data", [{"a": "1"}, {}])
def test_what_a_killed_create_left_is_taken_over(bench: Bench, data: dict[str, str]) -> None:
    """Also if it has nothing but a name, which the API would not remember whose it is."""
    name = f"left-{len(data)}"
    first = bench.create(settings(name, data))
    again = bench.create(settings(name, {**data, "b": "2"}))
    assert again.outputs["metadata"]["uid"] == first.outputs["metadata"]["uid"]


def test_what_the_official_provider_made_is_this_programs(bench: Bench) -> None:
    """It creates under one name and applies under another. What the program no longer has goes all the same."""
    theirs = settings("official", {"a": "1", "gone": "1"}, namespace=bench.kubectl.namespace)
    bench.kubectl("create", "--field-manager=pulumi-kubernetes", "-f", "-", stdin=json.dumps(theirs))
    live = bench.kubectl.get("configmap", "official")
    outputs = {**live, "__inputs": theirs, "__initialApiVersion": "v1", "__fieldManager": "pulumi-kubernetes-0123abcd"}
    made = replace(
        bench.create(settings("scratch", {})), id=f"{bench.kubectl.namespace}/official", inputs=theirs, outputs=outputs
    )
    assert bench.diff(made, theirs) == UNCHANGED
    changed = bench.update(made, settings("official", {"a": "2"}))
    assert bench.kubectl.get("configmap", "official")["data"] == {"a": "2"}
    assert changed.outputs["__fieldManager"] == "pulumi-kubernetes-0123abcd"
