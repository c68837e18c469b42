"""The page around a stack's picture: a caption, and who reaches what as a table to read aloud and to copy from."""

import xml.etree.ElementTree as ET
from datetime import date
from typing import Final

from cli.graph_svg import clean, svg
from infra.graph import Graph

# The picture's style defines the colours.
_STYLE: Final = """
body { background: var(--page); color: var(--ink); margin: 0 auto; max-width: 1200px; padding: 16px;
  font: 14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif }
figure { margin: 0; overflow-x: auto }
figure svg { display: block; width: 100%; min-width: 760px; height: auto }
figcaption { color: var(--muted); margin: 0 30px 32px }
details { margin: 0 30px 32px; overflow-x: auto }
summary { cursor: pointer; font-weight: 650 }
table { border-collapse: collapse; margin-top: 12px }
th, td { text-align: left; padding: 6px 24px 6px 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere }
th { color: var(--muted); font-weight: 650 }
"""


def page(graph: Graph, day: date) -> str:
    """The whole HTML document, which is well-formed XML too. `day` is the only thing in it that is not the graph's."""
    root = ET.Element("html", {"lang": "en"})
    head = ET.SubElement(root, "head")
    ET.SubElement(head, "meta", {"charset": "utf-8"})
    ET.SubElement(head, "meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    ET.SubElement(head, "title").text = clean(f"Stack {graph.stack}")
    ET.SubElement(head, "style").text = _STYLE
    body = ET.SubElement(root, "body")
    figure = ET.SubElement(body, "figure")
    figure.append(svg(graph))
    ET.SubElement(figure, "figcaption").text = clean(
        f"The stack {graph.stack} on {day.isoformat()}, drawn from its contract, whichever engine deployed it."
        " No password is in it."
    )
    if graph.edges:
        body.append(_table(graph))
    return "<!DOCTYPE html>\n" + ET.tostring(root, encoding="unicode") + "\n"


def _table(graph: Graph) -> ET.Element:
    details = ET.Element("details")
    ET.SubElement(details, "summary").text = "Who reaches what, as a table"
    table = ET.SubElement(details, "table")
    heading = ET.SubElement(ET.SubElement(table, "thead"), "tr")
    for title in ("Application", "Backend", "Login", "Access", "Its password, in the stack's outputs"):
        ET.SubElement(heading, "th", {"scope": "col"}).text = title
    rows = ET.SubElement(table, "tbody")
    for edge in graph.edges:
        row = ET.SubElement(rows, "tr")
        for cell in (edge.application, edge.backend, edge.login.username, edge.login.access, edge.login.secret):
            ET.SubElement(row, "td").text = clean(cell)
    return details
