"""Where everything of a stack's picture stands: applications on the left, backends on the right, arrows between.

Lengths are pixels. All rows stand on a grid of 20, those of backends half a row lower, so that no two arrows ever run
along the same horizontal line. Text is measured in columns of a monospaced font, which differ little between fonts.
"""

from collections.abc import Container
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Final, Literal

from cli.graph_text import columns, cut, shorten, wrap
from infra.graph import READ_ONLY, Application, Backend, Edge, Fact, Graph

ROW: Final = 20
MARGIN: Final = 30
BOX: Final = 420
PADDING: Final = 20
LABEL: Final = 112  # of the label's column
CHIPS: Final = 120  # y of the first row of guarantees
LEGEND: Final = 80
LANE: Final = 16
GUTTER: Final = 150  # at least, between the columns
_VALUE: Final = BOX - 2 * PADDING - LABEL  # width of the values' column
COLUMN: Final = 7.4  # of 12 px monospace: the widest common one has 7.25
NAME_COLUMN: Final = 11.0  # of 17 px bold sans serif, generous
LABEL_COLUMN: Final = 7.0  # of 12 px sans serif, generous

Style = Literal["name", "version", "claim", "label", "value", "owner", "none"]


@dataclass(frozen=True, kw_only=True)
class Text:
    """One line. `full` is the whole of what had to be shortened."""

    x: float
    y: float
    text: str
    style: Style
    full: str | None = None
    right: bool = False  # ends at x


@dataclass(kw_only=True)
class Box:
    """An application or a backend. `rules` are the y of separators, `marks` (y, backend) colour a claim."""

    name: str
    kind: Literal["application", "backend"]
    x: float
    y: float
    width: float = BOX
    height: float = 0
    texts: list[Text] = field(default_factory=list)
    rules: list[float] = field(default_factory=list)
    marks: list[tuple[float, str]] = field(default_factory=list)


@dataclass(kw_only=True)
class Lane:
    """The vertical line that all arrows to one backend with one kind of access share: names are at both ends."""

    backend: str
    access: str
    x: float = 0
    sources: list[float] = field(default_factory=list)
    targets: list[float] = field(default_factory=list)

    @property
    def dashed(self) -> bool:
        return self.access == READ_ONLY


@dataclass(frozen=True, kw_only=True)
class Chip:
    """A guarantee, or the lack of one; `y` is its middle."""

    x: float
    y: float
    width: float
    text: str
    promised: bool


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """`top` is where the boxes begin."""

    graph: Graph
    width: float
    height: float
    top: float
    chips: tuple[Chip, ...]
    boxes: tuple[Box, ...]
    lanes: tuple[Lane, ...]


def lay_out(graph: Graph) -> Drawing:
    lanes = _lanes(graph)
    gutter = max(GUTTER, LANE * (len(lanes) + 4))
    right_x = MARGIN + BOX + gutter
    chips = _chips(graph, right_x + BOX)
    top = (chips[-1].y if chips else CHIPS) + 4 * ROW
    sources: dict[Edge, float] = {}
    targets: dict[Edge, float] = {}
    known = {backend.name for backend in graph.backends}
    left = _stack([_application(application, known, sources) for application in graph.applications], top, sources)
    right = _stack([_backend(backend, graph, right_x, targets) for backend in graph.backends], top, targets)
    for edge, y in sources.items():
        lane = lanes[edge.backend, edge.login.access]
        lane.sources.append(y)
        lane.targets.append(targets[edge])
    _order(list(lanes.values()), MARGIN + BOX + gutter / 2)
    return Drawing(
        graph=graph,
        width=right_x + BOX + MARGIN,
        height=max((box.y + box.height for box in (*left, *right)), default=top) + LEGEND,
        top=top,
        chips=chips,
        boxes=(*left, *right),
        lanes=tuple(lanes.values()),
    )


def _chips(graph: Graph, right: float) -> tuple[Chip, ...]:
    """Side by side as far as `right`, then below."""
    chips: list[Chip] = []
    x, y = float(MARGIN), float(CHIPS)
    for name in (*graph.promised, *graph.not_promised):
        promised = name in graph.promised
        text = f"✓ {name.replace('_', ' ')}" if promised else f"not promised: {name.replace('_', ' ')}"
        text = shorten(wrap(text, 60), 1)[0]
        width = columns(text) * LABEL_COLUMN + 20
        if chips and x + width > right:
            x, y = float(MARGIN), y + 1.5 * ROW
        chips.append(Chip(x=x, y=y, width=width, text=text, promised=promised))
        x += width + 10
    return tuple(chips)


def _application(application: Application, backends: Container[str], ports: dict[Edge, float]) -> Box:
    box = Box(name=application.name, kind="application", x=MARGIN, y=0)
    y = _name(box, application.name, BOX - 2 * PADDING)
    for claim in application.claims:
        box.rules.append(y)
        y += ROW
        indent = 18 if claim.backend in backends else 0
        if indent:
            box.marks.append((y, claim.backend))
        width = BOX - 2 * PADDING - indent
        box.texts.append(_line(box.x + PADDING + indent, y, claim.backend, "claim", width, LABEL_COLUMN))
        y = _facts(box, claim.facts, y)
        for login in claim.logins:
            y += ROW
            ports[Edge(application=application.name, backend=claim.backend, login=login)] = y
            box.texts.append(_label(box, y, login.access))
            box.texts.append(_line(box.x + PADDING + LABEL, y, login.username, "value", _VALUE))
        y += ROW
    if not application.claims:
        box.texts.append(_line(box.x + PADDING, y, "claims nothing", "none", _VALUE))
        y += ROW
    box.height = y
    return box


def _backend(backend: Backend, graph: Graph, x: float, ports: dict[Edge, float]) -> Box:
    box = Box(name=backend.name, kind="backend", x=x, y=0)
    version = _line(x + BOX - PADDING, 1.5 * ROW, backend.version, "version", 180, right=True)
    box.texts.append(version)
    box.marks.append((1.5 * ROW, backend.name))
    y = _facts(box, backend.facts, _name(box, backend.name, BOX - 2 * PADDING - 198, indent=18) - ROW)
    box.rules.append(y + 0.75 * ROW)
    y += 1.5 * ROW  # so that logins stand half a row lower than an application's
    box.texts.append(_line(x + PADDING, y, "reached by", "label", _VALUE))
    reached = [edge for edge in graph.edges if edge.backend == backend.name]
    for edge in reached:
        y += ROW
        ports[edge] = y
        box.texts.append(_label(box, y, edge.login.access))
        box.texts.append(_line(x + PADDING + LABEL, y, edge.login.username, "value", _VALUE * 0.58))
        box.texts.append(_line(x + BOX - PADDING, y, edge.application, "owner", _VALUE * 0.38, right=True))
    if not reached:
        y += ROW
        box.texts.append(_line(x + PADDING, y, "no application has a login here", "none", BOX - 2 * PADDING))
    box.height = y + ROW
    return box


def _name(box: Box, name: str, width: float, indent: float = 0) -> float:
    """The box's heading, on two lines if it must; the y where what follows begins."""
    lines = shorten(wrap(name, int(width / NAME_COLUMN)), 2)
    full = name if "".join(lines) != name else None
    for number, text in enumerate(lines):
        y = (1.5 + number) * ROW
        box.texts.append(Text(x=box.x + PADDING + indent, y=y, text=text, style="name", full=full))
    return (len(lines) + 2) * ROW


def _facts(box: Box, facts: tuple[Fact, ...], y: float) -> float:
    """The y of the last row."""
    for fact in facts:
        label: Text | None = _label(box, y + ROW, fact.label)
        for value in fact.values:
            lines = shorten(wrap(value, int(_VALUE / COLUMN)), 3)
            full = value if "".join(lines) != value else None
            for line in lines:
                y += ROW
                if label:
                    box.texts.append(label)
                    label = None
                box.texts.append(Text(x=box.x + PADDING + LABEL, y=y, text=line.strip(), style="value", full=full))
    return y


def _label(box: Box, y: float, text: str) -> Text:
    return _line(box.x + PADDING, y, text, "label", LABEL - 8, LABEL_COLUMN)


def _line(
    x: float, y: float, text: str, style: Style, width: float, column: float = COLUMN, *, right: bool = False
) -> Text:
    """`text` on one line of at most `width`."""
    shown = shorten(list(cut(text, int(width / column))), 1)[0]
    return Text(x=x, y=y, text=shown, style=style, full=text if shown != text else None, right=right)


def _stack(boxes: list[Box], top: float, ports: dict[Edge, float]) -> list[Box]:
    """Moves boxes, made at y = 0, below one another, and the ports with them."""
    y = top
    for box in boxes:
        box.y = y
        box.texts = [replace(text, y=text.y + y) for text in box.texts]
        box.rules = [rule + y for rule in box.rules]
        box.marks = [(mark + y, backend) for mark, backend in box.marks]
        for edge in ports:
            if box.name == (edge.application if box.kind == "application" else edge.backend):
                ports[edge] += y
        y += ceil(box.height / ROW) * ROW + ROW
    return boxes


def _lanes(graph: Graph) -> dict[tuple[str, str], Lane]:
    lanes: dict[tuple[str, str], Lane] = {}
    for backend in graph.backends:
        for edge in graph.edges:
            if edge.backend == backend.name:
                key = (backend.name, edge.login.access)
                lanes.setdefault(key, Lane(backend=backend.name, access=edge.login.access))
    return lanes


def _order(lanes: list[Lane], middle: float) -> None:
    """Side by side around `middle`, in the order that lets most arrows nest instead of crossing.

    Arrows that go up nest when the highest backend has the leftmost lane; those that go down, the other way round.
    """
    downwards = sum(t > s for lane in lanes for s, t in zip(lane.sources, lane.targets, strict=True))
    total = sum(len(lane.sources) for lane in lanes)
    for number, lane in enumerate(reversed(lanes) if 2 * downwards > total else lanes):
        lane.x = middle + LANE * (number - (len(lanes) - 1) / 2)
