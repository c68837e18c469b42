"""The display of a terminal."""

import io
import os
import pty
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import api
from engine.display import TextDisplay
from engine.live import LiveDisplay
from tests.engine.stack import Stack
from tests.engine.test_display import Terminal

_DEADLINE = 30.0  # seconds


def eventually(condition: Callable[[], object], out: io.StringIO) -> None:
    deadline = time.monotonic() + _DEADLINE
    while not condition():
        assert time.monotonic() < deadline, out.getvalue()
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "30")
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_the_tree_says_what_goes_on_and_what_waits_for_it_and_then_goes(stack: Stack, tmp_path: Path) -> None:
    gate, out = tmp_path / "a.gate", Terminal()
    stack.write(
        f"""
        class Box(ComponentResource):
            def __init__(self, name):
                super().__init__("test:index:Box", name, None)
                a = Thing("a", ResourceOptions(parent=self), at="create", gate={str(gate)!r})
                Thing("b", ResourceOptions(parent=self), of=a.path)

        Box("box")
        """
    )
    display = api.text_display(out)
    assert isinstance(display, LiveDisplay)
    run = threading.Thread(target=api.up, args=(stack.workspace, api.Options(), display))
    run.start()
    try:
        eventually(lambda: "waits for a" in out.getvalue(), out)
        eventually(lambda: "a (Thing)  creating (" in out.getvalue(), out)
    finally:
        gate.touch()
        run.join()
    text = out.getvalue()
    assert "box (Box)" in text
    assert "2 of 4 done" in text
    shown, _, after = text.rpartition("done, ")
    assert "created (" in shown, "what is done scrolls by above the tree"
    assert "\x1b[2K" in after, "the tree is wiped"
    assert after.rstrip().splitlines()[-1].startswith("Duration: ")
    assert " creating\n" not in text, "what begins is in the tree, and not a line"


def test_an_unchanged_stack_and_a_preview_have_no_tree(stack: Stack) -> None:
    stack.up('Thing("a")')
    for command in (api.preview, api.up):
        out = Terminal()
        command(stack.workspace, api.Options(), api.text_display(out))
        assert " done, " not in out.getvalue()


def test_a_display_that_is_closed_early_wipes_its_tree(stack: Stack) -> None:
    """As when something breaks in the middle of a run."""
    out = Terminal()
    display = LiveDisplay(out)
    recorded = stack.preview('Thing("a")').result
    display.plan(recorded.steps)
    display.begin("update", "dev")
    eventually(lambda: "0 of 2 done" in out.getvalue(), out)
    assert out.getvalue().rfind("\x1b[?25l") < out.getvalue().rfind("\x1b[?25h"), "a kill would leave no cursor"
    display.close()
    display.close()
    text = out.getvalue()
    assert text.rindex("\x1b[2K") > text.rindex("0 of 2 done")


@pytest.mark.parametrize(
    ("out", "term"), [(io.StringIO(), "xterm"), (Terminal(), "dumb"), (Terminal(), "")], ids=["file", "dumb", "none"]
)
def test_what_cannot_move_its_cursor_gets_lines(out: io.StringIO, term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", term)
    assert type(api.text_display(out)) is TextDisplay


def test_without_colours_the_tree_has_none(monkeypatch: pytest.MonkeyPatch, stack: Stack) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stack.write('Thing("a")')
    out = Terminal()
    api.up(stack.workspace, api.Options(), LiveDisplay(out))
    assert "\x1b[3" not in out.getvalue()


def test_a_real_terminal_ends_with_the_summary(stack: Stack) -> None:
    """In a pseudo terminal, as a user sees it."""
    stack.write('a = Thing("a")\nThing("b", of=a.path)')
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.engine.stack", stack.arguments("up")],
        cwd=Path(__file__).parents[2],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    os.close(terminal)
    text = b""
    while True:
        try:
            piece = os.read(controller, 65536)
        except OSError:  # its other end is closed
            break
        text += piece
    assert process.wait(_DEADLINE) == 0, text.decode()
    os.close(controller)
    assert b"Updating (dev):" in text
    assert b"of 3 done" in text
    assert b"+ 3 created" in text.rpartition(b"of 3 done")[2]
