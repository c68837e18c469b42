"""Programs, changes of them, and values: as hypothesis draws and shrinks them."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from engine.values import Secret
from tests.engine.faults.programs import Node, Version, carried

MOST = 7

# What a masked text must not hold: long enough that it stands nowhere by chance.
secrets = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=8, max_size=20).map("§{}".format)


@st.composite
def programs(draw: st.DrawFn, *, with_secrets: bool = False) -> Version:
    nodes: list[Node] = []
    for index in range(draw(st.integers(1, MOST))):
        nodes.append(draw(_nodes(f"r{index}", tuple(nodes), with_secrets)))
    return tuple(nodes)


@st.composite
def changed(draw: st.DrawFn, version: Version) -> Version:
    """Another version of the same program: resources go, come, change, are replaced or get other names."""
    gone: set[str] = set()
    renamed: dict[str, str] = {}
    nodes: list[Node] = []
    for old in version:
        if old.parent in gone or draw(st.integers(0, 4)) == 4:
            gone.add(old.name)
            continue
        node = carried(old, gone, renamed)
        change = draw(st.sampled_from(("same", "value", "kind", "name", "order")))
        if change == "value":
            node = replace(node, value=node.value + 1)
        elif change == "kind" and not node.component:
            node = replace(node, kind=f"{node.kind}n")
        elif change == "name" and not node.component:
            renamed[node.name] = f"{node.name}new"
            node = replace(node, name=renamed[node.name], formerly=node.name)
        elif change == "order":
            node = replace(node, after=())
        nodes.append(node)
    for index in range(draw(st.integers(0, 2))):
        nodes.append(draw(_nodes(f"n{index}", tuple(nodes), False)))
    return tuple(nodes)


@st.composite
def _nodes(draw: st.DrawFn, name: str, before: Version, with_secrets: bool) -> Node:
    things = [node.name for node in before if not node.component]
    groups = [node.name for node in before if node.component]
    return Node(
        name=name,
        physical=name,
        component=draw(st.integers(0, 4)) == 4,
        value=draw(st.integers(0, 3)),
        secret=draw(secrets) if with_secrets and draw(st.booleans()) else "",
        parent=draw(st.sampled_from(["", *groups])),
        after=tuple(sorted(draw(st.sets(st.sampled_from(things), max_size=2)))) if things else (),
        of=draw(st.sampled_from(["", *things])),
        delete_first=draw(st.booleans()),
        retain=draw(st.integers(0, 5)) == 5,
    )


_leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
_keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10)


def _deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3) | inner.map(Secret)


values = st.recursive(_leaves, _deeper, max_leaves=12)
properties = st.dictionaries(_keys, values, max_size=5)
