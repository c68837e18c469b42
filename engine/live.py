"""The display for a terminal: lines of what is done scroll by, and below them a tree of what is not, until it is."""

import threading
import time
from collections.abc import Sequence
from itertools import cycle
from typing import Final, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.style import Style
from rich.text import Text

from engine.display import COLOURS, SYMBOLS, TITLES, TextDisplay, doing
from engine.events import Kind, Result, Step
from engine.progress import Progress
from engine.tracker import Row, Tracker

_PER_SECOND: Final = 8  # times that the tree is drawn anew
_FRAMES: Final = ("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "-\\|/")
_GUIDES: Final = (("│  ", "├─ ", "└─ "), ("|  ", "|- ", "`- "))
_REST: Final = 3  # lines of the screen that the tree leaves: heading, what does not fit, and one of what is done
_SHORTEST: Final = 6  # lines that the tree has on the smallest screen
_STYLES: Final = {"32": "green", "33": "yellow", "31": "red", "35": "magenta", "36": "cyan", "1": "bold"}


class LiveDisplay(TextDisplay):
    """As TextDisplay, with the tree while a pass carries out a plan. `close` it, whatever happens in between."""

    def __init__(self, out: TextIO, *, show_secrets: bool = False, details: bool = False) -> None:
        super().__init__(out, show_secrets=show_secrets, details=details)
        self._console = Console(file=out, highlight=False, markup=False, emoji=False)
        self._ascii = not self._console.encoding.startswith("utf")
        self._spinner = cycle(_FRAMES[self._ascii])
        self._plan: Sequence[Step] = ()
        self._tracker = Tracker()
        self._heading = ""
        self._begun = 0.0
        self._live: Live | None = None
        self._guard = threading.Lock()  # the tree is drawn by a thread of its own

    def plan(self, steps: Sequence[Step]) -> None:
        self._plan = steps

    def begin(self, kind: Kind, stack: str) -> None:
        super().begin(kind, stack)
        if not self._plan:
            return
        self._tracker, self._plan = Tracker(self._plan), ()
        self._heading, self._begun = f"{TITLES[kind]} ({stack})", time.monotonic()
        self._live = Live(
            console=self._console,
            get_renderable=self._render,
            refresh_per_second=_PER_SECOND,
            transient=True,
            vertical_overflow="crop",
        )
        self._live.start()
        self._console.show_cursor(True)  # nothing brings it back if the process is killed

    def step(self, step: Step) -> None:
        with self._guard:
            self._tracker.note(step, time.monotonic())
        if self._live is None or step.phase != "start":  # what is going on is in the tree
            super().step(step)

    def finish(self, result: Result) -> None:
        self.close()
        super().finish(result)

    def close(self) -> None:
        """Takes the tree off the screen."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def _watch(self) -> Progress | None:
        return None

    @property
    def _detailed_phase(self) -> str:
        return "done"

    def _write(self, text: str, colour: str = "") -> None:
        if self._live is None:
            super()._write(text, colour)
        else:
            self._console.print(Text.from_ansi(self._paint(text, colour)), soft_wrap=True)

    def _render(self) -> RenderableType:
        now, limit = time.monotonic(), max(_SHORTEST, self._console.height - _REST)
        with self._guard:
            rows, hidden = self._tracker.rows(limit)
            done, total = self._tracker.finished, self._tracker.total
        frame = next(self._spinner)
        heading = f"{frame} {self._heading}: {done} of {total} done, {now - self._begun:.0f}s"
        lines = [Text(heading, style="bold")]
        if not rows:
            lines.append(Text("   waiting for the program to end", style="dim"))
        lines += [self._line(row, now) for row in rows]
        if hidden:
            lines.append(Text(f"   and {hidden} more that wait", style="dim"))
        for line in lines:  # one that wrapped would need room that others have
            line.no_wrap, line.overflow = True, "ellipsis"
        return Group(*lines)

    def _line(self, row: Row, now: float) -> Text:
        down, branch, end = _GUIDES[self._ascii]
        line = Text("   " + "".join("   " if last else down for last in row.lasts[:-1]), style="dim")
        line.append(end if row.lasts[-1] else branch)
        if row.node is None:
            return line.append(_title(row.step), style=Style(dim=True))
        symbol = SYMBOLS[row.step.op].strip()
        colour = _STYLES[COLOURS[symbol]]
        if row.node.begun is not None:
            text = f"{symbol} {_title(row.step)}  {doing(row.step)} ({now - row.node.begun:.1f}s)"
            return line.append(text, style=Style(color=colour, dim=False))
        line.append(f"{symbol} ", style=Style(color=colour, dim=True))
        waits = f"  waits for {', '.join(row.waits_for)}" if row.waits_for else ""
        return line.append(_title(row.step) + waits, style=Style(dim=True))


def _title(step: Step) -> str:
    """Such as "redis-container (Container)": there is little room in a line."""
    return f"{step.name} ({step.type.rpartition(':')[2]})"
