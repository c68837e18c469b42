"""Which places of a resource differ, and how a run shows them."""

import pytest

from engine.differences import Difference, differences
from engine.values import UNKNOWN, Properties, Secret
from tests.engine.stack import Stack


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [Difference("a", "update", 1, 2)]),
        ({}, {"a": {"b": 1}}, [Difference("a", "add", None, {"b": 1})]),
        ({"a": [1]}, {}, [Difference("a", "delete", [1])]),
        ({"a": {"b": [{"c": 1}]}}, {"a": {"b": [{"c": 2}]}}, [Difference("a.b[0].c", "update", 1, 2)]),
        ({"a": [1, 2]}, {"a": [1, 3, 4]}, [Difference("a[1]", "update", 2, 3), Difference("a[2]", "add", None, 4)]),
        ({"a": [1, 2]}, {"a": [1]}, [Difference("a[1]", "delete", 2)]),
        ({"l": {"x.y/z": 1}}, {"l": {"x.y/z": 2}}, [Difference('l["x.y/z"]', "update", 1, 2)]),
        ({"a": 1}, {"a": UNKNOWN}, [Difference("a", "update", 1, UNKNOWN)]),
        ({"a": {"b": 1}}, {"a": 2}, [Difference("a", "update", {"b": 1}, 2)]),
        ({"a": 1, "__defaults": ["b"]}, {"a": 1, "__defaults": []}, []),
        ({}, {"a": [{"b": 1, "__defaults": []}]}, [Difference("a", "add", None, [{"b": 1}])]),
        ({"a": "x"}, {"a": Secret("x")}, []),
    ],
    ids=str,
)
def test_the_deepest_places_that_differ_are_named(old: Properties, new: Properties, expected: list[Difference]) -> None:
    assert differences(old, new) == expected


def test_a_value_that_becomes_secret_is_hidden_on_both_sides() -> None:
    (found,) = differences({"a": "word"}, {"a": Secret("other")})
    assert (found.old, found.new) == (Secret("word"), Secret("other"))


def test_the_top_level_property_of_a_place() -> None:
    assert [Difference(path, "add").root for path in ("a", "a.b", "a[0].b", 'a["b.c"]')] == ["a"] * 4


PROGRAM = """
    Thing("a", value={"size": 1, "ports": [1, 2]}, password=Output.secret("hush-hush"), kind="x", note="no hush-hush")
    """
CHANGED = """
    Thing("a", value={"size": 2, "ports": [1]}, password=Output.secret("xyzzy"), kind="x", note="no xyzzy", more=True)
    """


def under(text: str, line: str) -> list[str]:
    """The lines below one that begins so, as far as they are indented."""
    lines = text.splitlines()
    start = next(index for index, found in enumerate(lines) if found.startswith(line))
    end = next(index for index in range(start + 1, len(lines)) if not lines[index].startswith("      "))
    return lines[start + 1 : end]


@pytest.mark.parametrize("command", ["preview", "up"])
def test_a_run_shows_them_by_path_and_without_secrets(stack: Stack, command: str) -> None:
    stack.up(PROGRAM)
    stack.write(CHANGED)
    done = getattr(stack, command)(details=True)
    assert under(done.text, " ~  test:index:Thing a upda") == [
        "      + more: true",
        '      ~ note: "no [secret]" => "no [secret]"',
        "      ~ password: [secret] => [secret]",
        "      - value.ports[1]: 2",
        "      ~ value.size: 1 => 2",
    ]
    assert done.text.count("value.size") == 1
    assert "value.size" not in stack.up(PROGRAM).text, "only with --diff"


def test_a_replacement_shows_what_it_replaces_for(stack: Stack) -> None:
    stack.up('Thing("a", kind="x", label="l")')
    stack.write('Thing("a", kind="y", label="l")')
    assert under(stack.preview(details=True).text, " +- test:index:Thing a replace") == ['      ~ kind: "x" => "y"']
    assert under(stack.up(details=True).text, " ++ test:index:Thing a creating") == ['      ~ kind: "x" => "y"']


def test_of_a_new_resource_every_input_is_shown(stack: Stack) -> None:
    text = stack.preview('Thing("a", value=1, kind="x", label="l")', details=True).text
    assert under(text, " +  test:index:Thing a create") == [
        '      + kind: "x"',
        '      + label: "l"',
        "      + value: 1",
    ]


def test_what_drifted_is_shown_as_it_is_now(stack: Stack) -> None:
    """The inputs are as before; it is the provider that says what changed."""
    from engine.telling import differing_places
    from tests.engine.states import volume

    old = volume(inputs={"name": "data"}, outputs={"name": "data", "driver": "nfs"})
    assert differing_places(old, volume(), ("driver",)) == (Difference("driver", "update", "nfs", None),)
