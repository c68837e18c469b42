"""One command of the embedded engine in a process of its own: `python -m bench.engine_run COMMAND FOLDER [PARALLEL]`.

Writes to FOLDER/first how many seconds after the start of this process the first registration arrived.
"""

import io
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from engine import api, deployment, providers
from engine.goal import Goal
from engine.providers.base import Call, Diff, Old, Properties
from engine.state import ResourceState

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


def main() -> int:
    command, folder = sys.argv[1], Path(sys.argv[2])
    providers.OPENERS["bench"] = lambda host: Slow()
    begun = psutil.Process().create_time()
    register = deployment.Deployment.register

    def noting(self: deployment.Deployment, goal: Goal) -> ResourceState:
        if not (folder / "first").exists():
            (folder / "first").write_text(str(time.time() - begun))
        return register(self, goal)

    deployment.Deployment.register = noting  # type: ignore[method-assign]
    workspace = api.Workspace(
        root=folder,
        stack="bench",
        backend_url=(folder / "state").as_uri(),
        passphrase="bench",  # noqa: S106
    )
    options = api.Options()
    if len(sys.argv) > 3:
        options = replace(options, parallel=int(sys.argv[3]))
    out = io.StringIO()
    result: api.Result = getattr(api, command)(workspace, options, api.text_display(out))
    if result.exit_code:
        sys.stderr.write(out.getvalue())
    return result.exit_code


if __name__ == "__main__":
    sys.exit(main())
