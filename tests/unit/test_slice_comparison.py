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
    ],
)
def test_what_only_looks_different_is_no_change(old: object, new: object) -> None:
    """Over the wire keys come in any order; with some of them the official CLI planned an update now and then."""
    assert differs({"x": old}, {"x": new}, ["x"]) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (PORTS, [*PORTS[:1], {"container": "vector-db", "port": 6335}]),
        (["a"], ["a", "a"]),
        (False, None),
        (0, 1),
    ],
)
def test_what_is_different_is_a_change(old: object, new: object) -> None:
    assert differs({"x": old}, {"x": new}, ["x"]) == ["x"]
