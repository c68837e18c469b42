"""What a run shows."""

import io
import json
import re
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from engine import api, progress
from engine.events import Mask, Recording
from engine.values import Secret
from tests.engine.stack import Stack


def test_json(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    stack.write('Thing("a", value=Output.secret("hush-hush"))\nexport("x", Output.secret("hush-hush"))')
    api.preview(stack.workspace, api.Options(), api.JsonDisplay(sys.stdout))
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert document["changeSummary"] == {"create": 2}
    assert {step["op"] for step in document["steps"]} == {"create"}
    assert document["outputs"] == {"x": "[secret]"}
    assert "hush-hush" not in json.dumps(document)


def test_a_recording_is_masked_again_when_it_is_shown() -> None:
    """A program can print a secret before the engine has met it."""
    recording, shown, mask = Recording(), Recording(), Mask()
    recording.message(api.Message(severity="info", text="the word is xyzzy"))
    mask.learn(Secret("xyzzy"))
    recording.replay(shown, mask)
    assert "xyzzy" not in str(shown.__dict__)
    assert "[secret]" in str(shown.__dict__)


def outputs(text: str) -> list[str]:
    """The lines under `Outputs:`."""
    return text.partition("\nOutputs:\n")[2].partition("\n\n")[0].splitlines()


def test_only_outputs_that_changed_are_shown_as_a_tree(stack: Stack) -> None:
    program = """
        export("views", {"host": {"port": 5432, "name": "é"}, "old": 1})
        export("password", Output.secret("hush-hush"))
        export("same", [1, None, "x"])
        export("long", "x" * 200)
        """
    made = outputs(stack.up(program).text)
    assert made[0] == '  + long: "' + "x" * 88 + "…"
    assert made[1:] == [
        "  + password: [secret]",
        '  + same: [1, null, "x"]',
        '  + views: {host: {name: "é", port: 5432}, old: 1}',
    ]
    assert "Outputs:" not in stack.up().text
    changed = program.replace("5432", "5433").replace('"old"', '"new"').replace("hush-hush", "hush-hush-2")
    assert outputs(stack.up(changed).text) == [
        "  ~ password: [secret] => [secret]",
        "  ~ views: {",
        "      ~ host: {",
        "          ~ port: 5432 => 5433",
        "        }",
        "      + new: 1",
        "      - old: 1",
        "    }",
    ]


def test_a_program_that_failed_is_not_said_to_remove_outputs(stack: Stack) -> None:
    stack.up('export("x", 1)')
    failed = stack.up('raise pulumi.RunError("no")')
    assert failed.result.exit_code == 1
    assert "Outputs:" not in failed.text


@pytest.mark.parametrize("command", ["preview", "up"])
def test_what_leaves_the_stack_and_stays_is_named(stack: Stack, command: str) -> None:
    stack.up('Thing("a", ResourceOptions(retain_on_delete=True))\nThing("b")')
    id = stack.entry("a").id
    stack.write("")
    text = getattr(stack, command)().text
    assert f"\nRetained (out of the stack, not deleted):\n    test:index:Thing a ({id})\n\n" in text
    assert id in stack.cloud.things()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("out", "no_colour"), [(Terminal(), "1"), (io.StringIO(), "")])
def test_colours_are_for_terminals_of_users_who_want_them(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, out: io.StringIO, no_colour: str
) -> None:
    stack.write('Thing("a")')
    monkeypatch.setenv("NO_COLOR", no_colour)
    monkeypatch.setenv("TERM", "xterm")
    api.preview(stack.workspace, api.Options(), api.TextDisplay(out))
    assert "\x1b" not in out.getvalue()
    monkeypatch.setenv("NO_COLOR", "")
    terminal = Terminal()
    api.preview(stack.workspace, api.Options(), api.TextDisplay(terminal))
    assert "\x1b[32m +  test:index:Thing a create\x1b[0m\n" in terminal.getvalue()


def test_what_takes_long_is_named_while_it_does(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_LONG", 0.01)
    monkeypatch.setattr(progress, "_LOOK", 0.01)
    gate, out = tmp_path / "a.gate", io.StringIO()
    stack.write(f'Thing("a", at="create", gate={str(gate)!r})')
    run = threading.Thread(target=api.up, args=(stack.workspace, api.Options(), api.TextDisplay(out)))
    run.start()
    deadline = time.monotonic() + 30
    while " @  creating a (" not in out.getvalue() and time.monotonic() < deadline:
        time.sleep(0.01)
    gate.touch()
    run.join()
    # On a slow machine the stack is spoken of first, and so `a` ten seconds later.
    assert len(re.findall(r" @  creating a \(\d+s\) \.\.\.\n", out.getvalue())) == 1, out.getvalue()
    assert "created" in out.getvalue()
