"""Text in columns of a monospaced font: how wide it is, and how it is broken and shortened."""

import re
import unicodedata
from collections.abc import Iterator


def columns(text: str) -> int:
    """Width in columns: East Asian characters and emoji have two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns: broken at spaces, a long word after punctuation. At least one line."""
    lines = [""]
    for piece in _pieces(text, width):
        if columns(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return lines


def _pieces(text: str, width: int) -> Iterator[str]:
    for word in re.findall(r"\s*\S+\s*|\s+", text):
        if columns(word.rstrip()) <= width:
            yield word
            continue
        for part in re.findall(r"[^-_./:,@]+[-_./:,@]*|[-_./:,@]+", word):
            yield from cut(part, width)


def cut(text: str, width: int) -> Iterator[str]:
    """Pieces of at most `width` columns, which is at least two. At least one piece."""
    while columns(text) > width:
        cut = next(n for n in range(len(text), 0, -1) if columns(text[:n]) <= width)
        yield text[:cut]
        text = text[cut:]
    yield text


def shorten(lines: list[str], most: int) -> list[str]:
    """At most `most` lines; the last one says by an ellipsis that more was there."""
    return lines if len(lines) <= most else [*lines[: most - 1], lines[most - 1].rstrip()[:-1] + "…"]
