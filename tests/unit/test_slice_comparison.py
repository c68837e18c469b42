"""What makes a slice an update, and what only looks different."""

import pytest

from components.slices.resource import differs

PORTS = [{"container": "vector-db", "port": 6333}, {"container": "vector-db", "port": 6334}]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (PORTS, [{"port": 6333, "container": "vector-db"}, {"container": "vector-db", "port": 6334}]),
        (PORTS, [{"container": "vector-db", "port": 6334}, {"port": 6333, "container": "vector-db"}]),
        (["b", "a"], ["a", "b"]),
        (None, []),
        ({}, None),
        ("", None),
        ({"host": "h", "port": 1}, {"host": "h", "port": 1, "ca": None, "cluster": None}),
        ([{"a": 1}], [{"a": 1, "b": None}]),
    ],
)
def test_what_only_looks_different_is_no_change(old: object, new: object) -> None:
    """Over the wire keys come in any order; with some of them the official CLI planned an update now and then.

    A state of an earlier version lacks what a later one added: an update of every slice, once, would be noise.
    """
    assert differs({"x": old}, {"x": new}, ["x"]) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (PORTS, [*PORTS[:1], {"container": "vector-db", "port": 6335}]),
        (["a"], ["a", "a"]),
        (False, None),
        ({"host": "h"}, {"host": "h", "ca": "x"}),
        (0, 1),
    ],
)
def test_what_is_different_is_a_change(old: object, new: object) -> None:
    assert differs({"x": old}, {"x": new}, ["x"]) == ["x"]
