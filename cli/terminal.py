"""What a command says, and where: text for people on stdout, or one JSON document there and the text on stderr."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape


class Terminal:
    """Rich drops colour and animation by itself when NO_COLOR is set or the stream is not a terminal."""

    def __init__(self, *, json_output: bool = False) -> None:
        self.json_output = json_output
        self.console = Console(stderr=json_output, highlight=False, soft_wrap=True)

    @property
    def interactive(self) -> bool:
        """Whether somebody is there to answer a question."""
        return sys.stdin.isatty() and self.console.is_terminal and not self.json_output

    def say(self, text: str = "", *, style: str | None = None) -> None:
        """One line, as it is: square brackets in it are not markup."""
        self.console.print(escape(text), style=style)

    @contextmanager
    def progress(self, text: str) -> Iterator[None]:
        """`text` while something takes longer: with a spinner on a terminal, as a line elsewhere."""
        if not self.console.is_terminal:
            self.say(f"{text} …")
            yield
            return
        with self.console.status(escape(text)):
            yield

    def columns(self, *rows: Sequence[str], indent: str = "") -> None:
        """Aligned, and never cut: a path or a name in it is there to be copied."""
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            self.say(indent + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())

    def confirm(self, question: str) -> bool:
        self.console.print(f"{escape(question)} [bold]yes[/] or no: ", end="")
        try:
            return input().strip().lower() in ("y", "yes")
        except EOFError:
            return False

    def document(self, value: Mapping[str, Any]) -> None:
        """The one JSON document of a command that was given --json."""
        sys.stdout.write(json.dumps(value, indent=2) + "\n")


def complain(message: str) -> None:
    """An error, for people and scripts alike on stderr."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print("[bold red]error:[/]", escape(message))
