"""Draws a stack's graph as one SVG, which needs no network, no script and no font of its own."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Final

from cli.graph_layout import BOX, LEGEND, MARGIN, PADDING, Box, Drawing, Lane, lay_out
from infra.graph import READ_ONLY, READ_WRITE, Graph

# Light and dark. Every text colour has a contrast of at least 4.5 with every ground (WCAG 2.2, AA).
THEMES: Final[Mapping[str, Mapping[str, str]]] = {
    "light": {"page": "#f6f7f9", "box": "#ffffff", "ink": "#16191f", "muted": "#5a6270", "line": "#d5d9e0"},
    "dark": {"page": "#12151b", "box": "#1b2028", "ink": "#eceff4", "muted": "#a3adbb", "line": "#38404d"},
}
# One colour per backend, in the contract's order. None is told by colour alone: its name stands beside it.
COLOURS: Final[Mapping[str, Sequence[str]]] = {
    "light": ("#1f5fbf", "#b3261e", "#7a3fb0", "#9a5b00", "#0f766e", "#a62669"),
    "dark": ("#8ab4f8", "#f28b82", "#c9a3f5", "#f0b860", "#5fd4c4", "#f49ac1"),
}
_STYLE: Final = """
svg { background: var(--page) }
svg { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif }
svg text { fill: var(--ink); font-size: 12px; dominant-baseline: central }
svg .title { font-size: 28px; font-weight: 650; letter-spacing: -0.01em }
svg .name { font-size: 17px; font-weight: 650 }
svg .claim { font-size: 13px; font-weight: 650 }
svg .version, svg .value { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace }
svg .label, svg .owner, svg .none, svg .version, svg .chip-text.off, svg .subtitle { fill: var(--muted) }
svg .subtitle { font-size: 14px }
svg .none { font-style: italic }
svg .heading { fill: var(--muted); font-size: 12px; font-weight: 650; letter-spacing: 0.06em }
svg .key { stroke: var(--muted) }
svg .fill.key { fill: var(--muted) }
svg .chip-text { text-anchor: middle }
svg .right { text-anchor: end }
svg .box { fill: var(--box); stroke: var(--line) }
svg .rule { stroke: var(--line) }
svg .chip { fill: var(--box); stroke: var(--ink) }
svg .chip.off { fill: none; stroke: var(--muted); stroke-dasharray: 3 3 }
svg .halo { fill: none; stroke: var(--page); stroke-width: 6 }
svg .arrow { fill: none; stroke-width: 1.75 }
svg .dashed { stroke-dasharray: 5 4 }
svg .hollow { fill: var(--box); stroke-width: 1.75 }
"""
_RADIUS: Final = 7  # of an arrow's corners
_HEAD: Final = 9  # length of an arrow's head


def svg(graph: Graph) -> ET.Element:
    """The picture alone."""
    drawing = lay_out(graph)
    size = {"viewBox": f"0 0 {drawing.width:g} {drawing.height:g}", "width": f"{drawing.width:g}"}
    root = ET.Element(
        "svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", "aria-labelledby": "title desc", **size}
    )
    ET.SubElement(root, "title", {"id": "title"}).text = clean(f"Stack {graph.stack}")
    ET.SubElement(root, "desc", {"id": "desc"}).text = clean(describe(graph))
    ET.SubElement(root, "style").text = _colours(graph) + _STYLE
    _header(root, drawing)
    for lane in drawing.lanes:
        _lane(root, lane, drawing)
    for box in drawing.boxes:
        _box(root, box, graph)
    for lane in drawing.lanes:
        for y in lane.sources:
            _port(root, MARGIN + BOX, y, lane.dashed, _colour(graph, lane.backend))
    _legend(root, drawing)
    return root


def describe(graph: Graph) -> str:
    """The picture in words, for who cannot see it."""
    parts = [f"A {graph.stage} stack on {graph.platform}."]
    parts.append(f"Guarantees: {', '.join(map(_words, graph.promised)) or 'none'}.")
    if graph.not_promised:
        parts.append(f"Not promised: {', '.join(map(_words, graph.not_promised))}.")
    parts.append(f"Backends: {', '.join(f'{b.name} {b.version}' for b in graph.backends) or 'none'}.")
    parts.append(f"Applications: {', '.join(a.name for a in graph.applications) or 'none'}.")
    parts += [f"{e.application} reaches {e.backend} as {e.login.username}, {e.login.access}." for e in graph.edges]
    return " ".join(parts)


def clean(text: str) -> str:
    """Without what XML forbids or what would reorder a line: control characters, surrogates, direction marks."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _colours(graph: Graph) -> str:
    """Variables of both themes, and a class per colour."""
    rules = {
        theme: "; ".join(
            [f"--{name}: {value}" for name, value in values.items()]
            + [f"--c{number}: {value}" for number, value in enumerate(COLOURS[theme])]
        )
        for theme, values in THEMES.items()
    }
    used = range(min(len(graph.backends), len(COLOURS["light"])))
    classes = "".join(f"\nsvg .c{n} {{ stroke: var(--c{n}) }} svg .fill.c{n} {{ fill: var(--c{n}) }}" for n in used)
    return (
        f"\n:root {{ color-scheme: light dark; {rules['light']} }}"
        f"\n@media (prefers-color-scheme: dark) {{ :root {{ {rules['dark']} }} }}{classes}"
    )


def _header(root: ET.Element, drawing: Drawing) -> None:
    graph = drawing.graph
    _text(root, MARGIN, 46, graph.stack, "title")
    _text(root, MARGIN, 78, f"{graph.stage} stage on {graph.platform}", "subtitle")
    for chip in drawing.chips:
        style, text = ("chip", "chip-text") if chip.promised else ("chip off", "chip-text off")
        _element(root, "rect", style, x=chip.x, y=chip.y - 12, width=chip.width, height=24, rx=12)
        _text(root, chip.x + chip.width / 2, chip.y, chip.text, text)
    for box, heading in (("application", "Applications"), ("backend", "Backends")):
        x = MARGIN if box == "application" else drawing.width - MARGIN - BOX
        _text(root, x, drawing.top - 22, heading, "heading")


def _box(root: ET.Element, box: Box, graph: Graph) -> None:
    group = ET.SubElement(root, "g", {"class": box.kind})
    _element(group, "rect", "box", x=box.x, y=box.y, width=box.width, height=box.height, rx=10)
    for y in box.rules:
        _element(group, "line", "rule", x1=box.x + PADDING, y1=y, x2=box.x + box.width - PADDING, y2=y)
    for y, backend in box.marks:
        colour = _colour(graph, backend)
        _element(group, "rect", f"fill {colour}", x=box.x + PADDING, y=y - 5, width=10, height=10, rx=3)
    for text in box.texts:
        _text(group, text.x, text.y, text.text, f"{text.style} right" if text.right else text.style, text.full)


def _lane(root: ET.Element, lane: Lane, drawing: Drawing) -> None:
    """One path for all arrows of the lane. The ground's colour around it lets it pass over the lanes before it."""
    left, right = MARGIN + BOX, drawing.width - MARGIN - BOX
    radius = min([_RADIUS, *(abs(s - t) / 2 for s in lane.sources for t in lane.targets)])
    path, joints = [], []
    for y in lane.sources:
        joints.append(y + (radius if fmean(lane.targets) > y else -radius))
        path.append(f"M{left} {y:g}H{lane.x - radius:g}Q{lane.x:g} {y:g} {lane.x:g} {joints[-1]:g}")
    for y in lane.targets:
        joints.append(y + (radius if fmean(lane.sources) > y else -radius))
        path.append(f"M{lane.x:g} {joints[-1]:g}Q{lane.x:g} {y:g} {lane.x + radius:g} {y:g}H{right - _HEAD:g}")
    path.append(f"M{lane.x:g} {min(joints):g}V{max(joints):g}")
    colour = _colour(drawing.graph, lane.backend)
    group = ET.SubElement(root, "g", {"class": "lane"})
    _element(group, "path", "halo", d="".join(path))
    _element(group, "path", f"arrow dashed {colour}" if lane.dashed else f"arrow {colour}", d="".join(path))
    for y in lane.targets:
        _head(group, right, y, colour)


def _head(root: ET.Element, x: float, y: float, colour: str) -> None:
    points = f"{x - _HEAD:g},{y - 4.5:g} {x - 0.5:g},{y:g} {x - _HEAD:g},{y + 4.5:g}"
    _element(root, "polygon", f"fill {colour}", points=points)


def _port(root: ET.Element, x: float, y: float, hollow: bool, colour: str) -> None:
    _element(root, "circle", f"{'hollow' if hollow else 'fill'} {colour}", cx=x, cy=y, r=4)


def _legend(root: ET.Element, drawing: Drawing) -> None:
    x, y = float(MARGIN), drawing.height - LEGEND / 2
    for dashed, text in ((False, READ_WRITE), (True, READ_ONLY)):
        _element(root, "path", "arrow key dashed" if dashed else "arrow key", d=f"M{x + 4} {y:g}H{x + 40}")
        _head(root, x + 48, y, "key")
        _port(root, x + 4, y, dashed, "key")
        _text(root, x + 60, y, text, "label")
        x += 160
    note = "One colour per backend. Arrows of one kind to a backend share a line."
    _text(root, x, y, note, "label")


def _text(root: ET.Element, x: float, y: float, text: str, style: str, full: str | None = None) -> None:
    element = _element(root, "text", style, x=x, y=y)
    element.text = clean(text)
    if full is not None:
        title = ET.SubElement(element, "title")
        title.text = clean(full)


def _element(root: ET.Element, tag: str, style: str, **attributes: float | str) -> ET.Element:
    values = {name: value if isinstance(value, str) else f"{value:g}" for name, value in attributes.items()}
    return ET.SubElement(root, tag, {"class": style, **values})


def _colour(graph: Graph, backend: str) -> str:
    return f"c{[b.name for b in graph.backends].index(backend) % len(COLOURS['light'])}"


def _words(name: str) -> str:
    return name.replace("_", " ")
