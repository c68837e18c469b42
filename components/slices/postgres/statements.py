"""Splits SQL text into its statements, as psql does."""

import re
from dataclasses import dataclass
from typing import Final

# Longest first. Every alternative swallows what might hold a semicolon that ends nothing.
TOKEN: Final = re.compile(
    r"""
      (?P<comment>  --[^\n]* | /\* )
    | (?P<quoted>   (?<![\w$])[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*"
                  | (?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$ .*? \$(?P=tag)\$ )
    | (?P<word>     [^\W\d][\w$]* )
    | (?P<end>      ; )
    | (?P<other>    . )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Statement:
    """`line` is where it begins in the text, counted from 1."""

    line: int
    text: str


def split(sql: str) -> list[Statement]:
    """The statements of `sql`, in order. Pieces that hold only comments are left out."""
    statements: list[Statement] = []
    start: int | None = None
    words: list[str] = []
    depth = position = 0
    while match := TOKEN.match(sql, position):
        position = match.end()
        if match["comment"]:
            position = _end_of_comment(sql, match)
        elif match["end"] and depth == 0:
            if start is not None:
                statements.append(_statement(sql, start, match.start()))
            start, words = None, []
        elif not match[0].isspace():
            start = match.start() if start is None else start
            if match["word"]:
                words.append(match["word"].lower())
                depth = _depth(words, depth)
    if start is not None:
        statements.append(_statement(sql, start, len(sql)))
    return statements


def _depth(words: list[str], depth: int) -> int:
    """How deep in BEGIN ATOMIC … END and CASE … END, the only places where a routine's semicolons stand bare."""
    if words[0] != "create" or not {"function", "procedure"} & set(words[1:4]):
        return 0
    if words[-1] == "begin" or (words[-1] == "case" and depth):
        return depth + 1
    return max(0, depth - 1) if words[-1] == "end" else depth


def _end_of_comment(sql: str, match: re.Match[str]) -> int:
    """Block comments nest."""
    if match[0] != "/*":
        return match.end()
    depth, position = 1, match.end()
    while depth and (mark := re.compile(r"/\*|\*/").search(sql, position)):
        depth += 1 if mark[0] == "/*" else -1
        position = mark.end()
    return position if depth == 0 else len(sql)


def _statement(sql: str, start: int, end: int) -> Statement:
    return Statement(sql.count("\n", 0, start) + 1, sql[start:end].rstrip())
