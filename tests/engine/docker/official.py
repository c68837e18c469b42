"""What the official plugin 5.2.0 answered to Check and Create on Docker 20.10: `golden/*.json`.

What differs from host to host stands there as a name in angle brackets.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.providers.base import Old

_FOLDER = Path(__file__).parent / "golden"
NAMES = sorted(path.stem for path in _FOLDER.glob("*.json"))

_EXAMPLES = {
    '"<port a>"': "30080",
    '"<port b>"': "35432",
    "<network name>": "example-net",
    "<network>": "6" * 64,
    "<volume>": "example-volume",
    "<prefix>": "example-",
    "<image id>": "sha256:" + "7" * 64,
    "<image>": "localhost/example:1",
    "<id>": "8" * 64,
    "<short id>": "8" * 12,
}


@dataclass(frozen=True)
class Answer:
    type: str
    inputs: dict[str, Any]  # the program's
    old: Old  # what was recorded for them


def answer(name: str, **values: str) -> Answer:
    """`values` are given by placeholder, with "_" for a space: image_id="sha256:…"."""
    given = {f"<{placeholder.replace('_', ' ')}>": value for placeholder, value in values.items()}
    text = (_FOLDER / f"{name}.json").read_text()
    for placeholder, example in _EXAMPLES.items():
        text = text.replace(placeholder, given.get(placeholder.strip('"'), example))
    recorded = json.loads(text)
    old = Old(recorded["id"], recorded["checked"], recorded["outputs"])
    return Answer(recorded["type"], recorded["inputs"], old)
