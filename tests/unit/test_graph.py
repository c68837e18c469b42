"""The picture of a stack: everything is on it, nothing secret is, nothing lies over anything else."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import date
from itertools import combinations
from typing import Any

import pytest

from cli.graph_layout import Drawing, Text, lay_out
from cli.graph_page import page
from cli.graph_svg import COLOURS, THEMES
from cli.graph_text import columns, wrap
from infra.graph import Graph, from_contract, from_public
from tests.unit import contracts

DAY = date(2026, 11, 21)
SECRET = "correct horse battery staple"
SVG = "{http://www.w3.org/2000/svg}"


def sample() -> Graph:
    return from_contract(contracts.contract(SECRET), "dev")


def public(applications: int = 1, backends: int = 4, name: str = "app") -> dict[str, Any]:
    """A contract's public part with backends that this version's models need not know."""

    def login(*keys: str) -> dict[str, Any]:
        return {"username": f"{name}_user", "secret_ref": {"name": "credentials", "keys": list(keys)}}

    def claim(application: str, backend: str) -> dict[str, Any]:
        return {
            **login(application, backend),
            "collections": [f"{name}_documents", f"{name}_messages"],
            "limits": {"vectors": 1000},
            "readonly": login(application, backend, "readonly"),
        }

    names = [f"backend{number}" for number in range(backends)]
    view = {"host": f"{name}.example", "ports": {"rest": 6333, "grpc": 6334}, "tls": True}
    return {
        "platform": "kubernetes",
        "stage": "production",
        "guarantees": ["tls"],
        "backends": {backend: {"version": "1.0", "views": {"cluster": view}} for backend in names},
        "applications": {
            f"{name}{number}": {backend: claim(f"{name}{number}", backend) for backend in names}
            for number in range(applications)
        },
    }


def parsed(graph: Graph) -> ET.Element:
    return ET.fromstring(page(graph, DAY))  # noqa: S314 - our own


def texts(graph: Graph) -> list[str]:
    """What stands on the picture, and what is shown where it had to be shortened."""
    return ["".join(element.itertext()) for element in parsed(graph).iter(f"{SVG}text")]


def test_everything_of_the_contract_is_on_the_picture() -> None:
    shown = texts(sample())
    for name in ("dev", "development stage on docker", "alfred", "postgres", "redis", "object_store", "17.6", "8.0.2"):
        assert name in shown
    for fact in ("0002_policies", "alfred:", "authenticator", "alfred_ro", "db-postgres-data", "redis-data"):
        assert fact in shown
    assert "127.0.0.1:5432, no TLS" in shown
    assert "db-postgres:5432, no TLS" in shown
    assert any("alfred-uploads" in text for text in shown)
    assert "✓ network isolated" in shown
    assert "not promised: tls" in shown


def test_what_no_backend_knows_is_on_the_picture_and_has_no_arrow() -> None:
    graph = sample()
    shown = texts(graph)
    for text in ("volumes", "secrets", "tokens", "scratch → dev-scratch"):
        assert text in shown
    [alfred] = graph.applications
    claims = {claim.backend: [value for fact in claim.facts for value in fact.values] for claim in alfred.claims}
    assert claims["volumes"][0] == "models → dev-models, size 20Gi, description Of the LLM service"
    assert claims["secrets"] == ["jwt_secret → credentials.alfred.secrets.jwt_secret"]
    assert claims["tokens"] == ["anon_key → credentials.alfred.tokens.anon_key, claims role anon"]
    assert list(faults(lay_out(graph))) == []
    assert {edge.backend for edge in graph.edges} == {backend.name for backend in graph.backends}


def test_arrows_say_who_reaches_what_with_which_login() -> None:
    edges = {(e.application, e.backend, e.login.username, e.login.access, e.login.secret) for e in sample().edges}
    assert edges == {
        ("alfred", "postgres", "authenticator", "read-write", "credentials.alfred.postgres"),
        ("alfred", "postgres", "alfred_ro", "read-only", "credentials.alfred.postgres.readonly"),
        ("alfred", "redis", "alfred", "read-write", "credentials.alfred.redis"),
        ("alfred", "qdrant", "alfred-1", "read-write", "credentials.alfred.qdrant"),
        ("alfred", "qdrant", "alfred-ro-1", "read-only", "credentials.alfred.qdrant.readonly"),
        ("alfred", "qdrant", "alfred-0", "previous", "credentials.alfred.qdrant.previous"),
        ("alfred", "object_store", "alfred-1", "read-write", "credentials.alfred.object_store"),
        ("alfred", "object_store", "alfred-0", "previous", "credentials.alfred.object_store.previous"),
    }


def test_every_arrow_starts_at_its_login_and_ends_at_the_same_login() -> None:
    drawing = lay_out(from_public(public(applications=5), "big"))
    ends = [(lane, y) for lane in drawing.lanes for y in (*lane.sources, *lane.targets)]
    assert len(ends) == 2 * len(drawing.graph.edges)
    boxes = {box.name: box for box in drawing.boxes}
    for lane in drawing.lanes:
        backend = boxes[lane.backend]
        for y in lane.targets:
            row = {text.style: text.text for text in backend.texts if text.y == y}
            assert (row["label"], row["value"]) == (lane.access, "app_user")
        reached = [text.text for y in lane.targets for text in backend.texts if text.y == y and text.style == "owner"]
        starts = [b.name for y in lane.sources for b in drawing.boxes if b.x < backend.x and b.y < y < b.y + b.height]
        assert starts == reached


def test_a_backend_that_this_version_does_not_know_is_drawn_all_the_same() -> None:
    graph = from_public(public(), "new")
    shown = texts(graph)
    for text in ("backend3", "collections", "app_documents", "app_messages", "vectors → 1000"):
        assert text in shown
    assert "app.example:6334, grpc, TLS" in shown
    assert {edge.login.access for edge in graph.edges} == {"read-write", "read-only"}


def test_no_password_is_in_the_picture_or_the_document() -> None:
    graph = sample()
    assert SECRET not in page(graph, DAY) + json.dumps(graph.document())
    without = contracts.contract(SECRET).model_copy(update={"credentials": {}})
    assert from_contract(without, "dev") == graph, "something was read from the credentials"


def test_the_page_needs_nothing_but_itself() -> None:
    text = page(sample(), DAY)
    assert not re.search(r"\b(src|href|xlink)\b|url\(|@import|<script|<link|<img", text)
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]


def test_the_picture_has_a_name_and_words_for_who_cannot_see_it() -> None:
    picture = next(parsed(sample()).iter(f"{SVG}svg"))
    ids = {element.get("id"): element.text for element in picture if element.get("id")}
    assert [bool(ids[name]) for name in str(picture.get("aria-labelledby")).split()] == [True, True]
    assert "alfred reaches postgres as alfred_ro, read-only." in str(ids["desc"])


def test_the_same_contract_gives_the_same_page_but_for_the_date() -> None:
    first, second = page(sample(), DAY), page(sample(), date(2027, 1, 1))
    assert "2026-11-21" in first
    assert first.replace("2026-11-21", "2027-01-01") == second
    shuffled = public(applications=3)
    shuffled["applications"] = dict(reversed(shuffled["applications"].items()))
    assert page(from_public(shuffled, "dev"), DAY) == page(from_public(public(applications=3), "dev"), DAY)


def extent(text: Text) -> tuple[float, float]:
    """Left and right end; sizes of the widest common fonts."""
    width = columns(text.text) * {"name": 10.5, "claim": 8.0, "value": 7.25, "version": 7.25}.get(text.style, 6.9)
    return (text.x - width, text.x) if text.right else (text.x, text.x + width)


def faults(drawing: Drawing) -> Iterator[str]:
    for one, two in combinations(drawing.boxes, 2):
        apart = one.x + one.width < two.x or two.x + two.width < one.x
        if not apart and one.y < two.y + two.height and two.y < one.y + one.height:
            yield f"{one.name} lies over {two.name}"
    for box in drawing.boxes:
        if box.x < 0 or box.x + box.width > drawing.width or box.y + box.height > drawing.height:
            yield f"{box.name} lies outside"
        for text in box.texts:
            left, right = extent(text)
            if left < box.x or right > box.x + box.width or not box.y + 8 < text.y < box.y + box.height - 8:
                yield f"`{text.text}` lies outside of {box.name}"
        for first, second in combinations(box.texts, 2):
            (a, b), (c, d) = extent(first), extent(second)
            if abs(first.y - second.y) < 16 and a < d and c < b:
                yield f"`{first.text}` lies over `{second.text}`"
    if {y for lane in drawing.lanes for y in lane.sources} & {y for lane in drawing.lanes for y in lane.targets}:
        yield "an arrow leaves where another one arrives: they could lie on one line"
    xs = sorted(lane.x for lane in drawing.lanes)
    left, right = (max(b.x + b.width for b in drawing.boxes if b.kind == "application"), drawing.boxes[-1].x)
    if any(b - a < 10 for a, b in zip([left, *xs], [*xs, right], strict=True)):
        yield "lanes lie over one another or over boxes"
    for one_chip, two_chip in combinations(drawing.chips, 2):
        if one_chip.y == two_chip.y and one_chip.x + one_chip.width > two_chip.x:
            yield f"{one_chip.text} lies over {two_chip.text}"


@pytest.mark.parametrize("name", ["app", "a_name_as_long_as_an_application_may_ha", "W" * 63, "界" * 40, "-" * 50])
@pytest.mark.parametrize("applications", [1, 2, 5, 12])
@pytest.mark.parametrize("backends", [1, 4])
def test_nothing_lies_over_anything_else(applications: int, backends: int, name: str) -> None:
    contract = public(applications, backends, name)
    contract["guarantees"] = [f"guarantee_{number}" for number in range(12)]
    assert list(faults(lay_out(from_public(contract, "big")))) == []


def test_the_check_for_overlaps_sees_one() -> None:
    drawing = lay_out(from_public(public(applications=2), "big"))
    drawing.boxes[1].y -= 60
    assert "app0 lies over app1" in list(faults(drawing))


def test_a_name_that_was_shortened_is_there_in_full() -> None:
    name = "a_name_that_is_much_longer_than_any_column_of_the_picture_can_be_at_all"
    graph = from_public(public(name=name), "dev")
    titles = [element.text for element in parsed(graph).iter(f"{SVG}title")]
    assert f"{name}_user" in titles
    assert f"{name}0" in titles


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "\"'&amp;]]>", "</svg>", "\x00\x1b[31m", "\u202egnp", "\ud800"]
)
def test_a_hostile_name_stays_text(name: str) -> None:
    graph = from_public(public(name=name), name)
    page(graph, DAY).encode()
    harmless = from_public(public(), "dev")
    assert [e.tag for e in parsed(graph).iter() if not e.tag.endswith("title")].count("script") == 0
    assert {e.tag for e in parsed(graph).iter()} == {e.tag for e in parsed(harmless).iter()}
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
    assert shown in texts(graph)


def test_a_stack_without_applications_is_a_picture() -> None:
    empty = public(applications=0)
    assert texts(from_public(empty, "dev")).count("no application has a login here") == 4
    nothing = public(applications=1, backends=0)
    assert "claims nothing" in texts(from_public(nothing, "dev"))


def test_wrapping_loses_nothing_and_prefers_spaces() -> None:
    assert wrap("one two-three four", 9) == ["one ", "two-three ", "four"]
    assert wrap("db.example.org:5432", 12) == ["db.example.", "org:5432"]
    assert wrap("", 5) == [""]
    for text in ("x" * 50, "界" * 9, " a  b ", "a-" * 20):
        assert "".join(wrap(text, 7)) == text
        assert max(columns(line.rstrip()) for line in wrap(text, 7)) <= 7


def luminance(colour: str) -> float:
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_have_enough_contrast(theme: str) -> None:
    colours = THEMES[theme]
    for ground in (colours["page"], colours["box"]):
        for ink in (colours["ink"], colours["muted"], *COLOURS[theme]):
            dark, light = sorted((luminance(ink), luminance(ground)))
            assert (light + 0.05) / (dark + 0.05) >= 4.5, f"{ink} on {ground}"
