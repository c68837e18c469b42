"""A test provider for the engine alone."""

import time
from collections.abc import Mapping
from typing import Any

from engine.providers.base import Call, Diff, Old, Properties

SECOND = 1.0


class Slow:
    """A provider whose creations take a second."""

    def configure(self, config: Mapping[str, Any]) -> None:
        """Nothing to configure."""

    def check(self, call: Call, old_inputs: Properties | None, inputs: Properties) -> Properties:
        return inputs

    def diff(self, call: Call, old: Old, inputs: Properties) -> Diff:
        return Diff(old.inputs != inputs)

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        time.sleep(SECOND)
        return call.name, inputs

    def read(self, call: Call, old: Old) -> Old | None:
        return old

    def update(self, call: Call, old: Old, inputs: Properties) -> Properties:
        return inputs

    def delete(self, call: Call, old: Old) -> None:
        """Nothing was made."""

    def invoke(self, token: str, args: Properties) -> Properties:
        return {}

    def close(self) -> None:
        """Nothing is open."""
