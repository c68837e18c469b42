"""Property values, their wire form, and paths into them."""

import time
from typing import Any

import pytest
from google.protobuf import struct_pb2

from engine import paths
from engine.events import Mask
from engine.values import (
    OUTPUT_VALUE,
    RESOURCE_REFERENCE,
    SECRET,
    SIGNATURE,
    UNKNOWN,
    UNKNOWN_TEXT,
    Secret,
    carry_secrets,
    contains_unknown,
    mark_secrets,
    masked,
    plain,
)
from engine.wire import from_struct, to_struct

EVERYTHING = {
    "text": "ä",
    "int": 3,
    "float": 2.5,
    "bool": True,
    "none": None,
    "list": [1, [], {}],
    "map": {"x": Secret({"y": [Secret("z")]})},
    "unknown": UNKNOWN,
    "secret unknown": Secret(UNKNOWN),
}


def test_values_survive_the_wire() -> None:
    assert from_struct(to_struct(EVERYTHING)) == EVERYTHING


def test_the_wire_form_is_pulumis() -> None:
    wire = to_struct({"s": Secret("x"), "u": UNKNOWN})
    assert wire.fields["u"].string_value == UNKNOWN_TEXT
    assert dict(wire.fields["s"].struct_value.items()) == {SIGNATURE: SECRET, "value": "x"}


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ({"value": "x"}, "x"),
        ({"value": "x", "secret": True}, Secret("x")),
        ({}, UNKNOWN),
        ({"secret": True, "dependencies": ["urn"]}, Secret(UNKNOWN)),
    ],
)
def test_output_values(fields: dict[str, Any], value: Any) -> None:
    struct = struct_pb2.Struct()
    struct.update({"out": {SIGNATURE: OUTPUT_VALUE, **fields}})
    assert from_struct(struct) == {"out": value}


def test_what_is_no_property_value_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        to_struct({"x": object()})


def test_a_provider_sees_plain_values_and_ids_in_the_place_of_resources() -> None:
    reference = {SIGNATURE: RESOURCE_REFERENCE, "urn": "urn:x", "id": "the-id"}
    component = {SIGNATURE: RESOURCE_REFERENCE, "urn": "urn:x"}
    value = {"a": Secret([Secret(1), UNKNOWN]), "b": [reference, component, {**reference, "id": ""}]}
    assert plain(value) == {"a": [1, UNKNOWN], "b": ["the-id", "urn:x", UNKNOWN]}


def test_unknowns_are_found_inside_secrets() -> None:
    assert contains_unknown({"a": [Secret({"b": UNKNOWN})]})
    assert not contains_unknown(["unknown", None])


def test_secrets_do_not_show() -> None:
    secret = Secret("hush")
    assert "hush" not in repr(secret)
    assert "hush" not in f"{[secret]}"
    assert masked({"a": [secret], "b": 1}) == {"a": ["[secret]"], "b": 1}


def test_outputs_are_secret_where_inputs_are() -> None:
    inputs = {"a": Secret(1), "b": {"c": Secret(2), "d": 3}, "list": [Secret(4), 5], "gone": Secret(6)}
    outputs = {"a": 1, "b": {"c": 2, "d": 3}, "list": [4, 5], "other": 7}
    assert carry_secrets(outputs, inputs) == {
        "a": Secret(1),
        "b": {"c": Secret(2), "d": 3},
        "list": Secret([4, 5]),
        "other": 7,
    }
    assert mark_secrets({"a": Secret(1), "b": {"c": Secret(2)}}, {"a", "b"}) == {"a": Secret(1), "b": Secret({"c": 2})}


def test_messages_are_masked_in_every_form_a_secret_takes() -> None:
    mask = Mask()
    mask.learn({"x": Secret({"password": 'pass"word\n', "pin": "12"})})
    assert mask('it is pass"word\n') == "it is [secret]"
    assert mask('{"p": "pass\\"word\\n"}') == '{"p": "[secret]"}'
    assert mask("12 and pin") == "12 and pin"  # too short to be looked for


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", ("a",)),
        ("a.b[0].c", ("a", "b", 0, "c")),
        ('a["b.c"]', ("a", "b.c")),
        ("a[*].b", ("a", "*", "b")),
        ("*", ("*",)),
    ],
)
def test_paths(text: str, path: paths.Path) -> None:
    assert paths.parse(text) == path


@pytest.mark.parametrize("text", ["a[", "a[x]", 'a["b', "a]"])
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(ValueError, match="not a property path"):
        paths.parse(text)


@pytest.mark.parametrize(
    ("path", "old", "new", "result", "possible"),
    [
        ("a", {"a": 1}, {"a": 2}, {"a": 1}, True),
        ("a", {"a": 1}, {}, {"a": 1}, True),
        ("a", {}, {"a": 2}, {}, True),
        ("a.b", {"a": {"b": 1}}, {"a": {"b": 2, "c": 3}}, {"a": {"b": 1, "c": 3}}, True),
        ("a.b", {}, {"a": {"b": 2}}, {"a": {"b": 2}}, False),
        ("a[0]", {"a": [1, 2]}, {"a": [3, 4]}, {"a": [1, 4]}, True),
        ("a[1]", {"a": [1, 2]}, {"a": [3]}, {"a": [3]}, False),
        ("a[*].b", {"a": [{"b": 1}]}, {"a": [{"b": 2}]}, {"a": [{"b": 1}]}, True),
        ("*", {"a": 1, "b": 2}, {"a": 3, "b": 4}, {"a": 1, "b": 2}, True),
        ("a.b", {"a": Secret({"b": 1})}, {"a": Secret({"b": 2})}, {"a": Secret({"b": 1})}, True),
    ],
)
def test_ignoring_changes_at_a_path(path: str, old: Any, new: Any, result: Any, possible: bool) -> None:
    assert paths.reset(paths.parse(path), old, new) is possible
    assert new == result


def test_secrets_that_overlap_are_hidden_as_a_whole() -> None:
    mask = Mask()
    mask.learn(Secret("abcdef"), Secret("defghi"), Secret("abcd"))
    assert mask("x abcdefghi y abcd abcdef") == "x [secret] y [secret] [secret]"
    assert mask("abc def") == "abc def"


def test_thousands_of_secrets_do_not_make_a_text_slow() -> None:
    mask = Mask()
    mask.learn(*(Secret(f"{number:x}-{'s' * 20}-{number}") for number in range(20_000)))
    begun = time.process_time()
    for _ in range(500):
        assert mask("nothing to hide in a text of ordinary length, " * 3)
    assert time.process_time() - begun < 2, "looking for each secret in turn takes a hundred times as long"
