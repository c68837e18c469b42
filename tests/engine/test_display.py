"""What a run shows."""

import json
import sys
from typing import Any

import pytest

from engine import api
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
