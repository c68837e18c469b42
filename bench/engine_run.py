"""One command of the embedded engine, in a process of its own.

`python -m bench.engine_run COMMAND FOLDER BEGUN [PARALLEL]`: BEGUN is when whoever started it did so, in seconds since
the epoch. Writes to FOLDER/taken.json the seconds from then until the end and until the first registration, and the
engine's peak in bytes.
"""

import io
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from engine import api

if TYPE_CHECKING:
    from engine.goal import Goal
    from engine.state import ResourceState


def main() -> int:
    command, folder, begun = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
    processes = api.start_processes(folder)
    try:
        first = _watch_registrations()
        workspace = api.Workspace(
            root=folder,
            stack="bench",
            backend_url=(folder / "state").as_uri(),
            passphrase="bench",  # noqa: S106
        )
        options = api.Options(parallel=int(sys.argv[4])) if len(sys.argv) > 4 else api.Options()
        out = io.StringIO()
        result: api.Result = getattr(api, command)(workspace, options, api.text_display(out), processes=processes)
    finally:
        processes.stop()
    if result.exit_code:
        sys.stderr.write(out.getvalue())
    else:
        taken = {"seconds": time.time() - begun, "first": min(first) - begun, "peak": _high_water()}
        (folder / "taken.json").write_text(json.dumps(taken), encoding="utf-8")
    return result.exit_code


def _watch_registrations() -> list[float]:
    """When each came. Imports what the engine itself imports while the program's interpreter gets ready."""
    from bench.engine_provider import Slow
    from engine import deployment, providers

    providers.OPENERS["bench"] = lambda host: Slow()
    register, times = deployment.Deployment.register, list[float]()

    def noting(self: deployment.Deployment, goal: "Goal") -> "ResourceState":
        times.append(time.time())
        return register(self, goal)

    deployment.Deployment.register = noting  # type: ignore[method-assign]
    return times


def _high_water() -> int:
    """The most bytes that were resident, of this process alone."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


if __name__ == "__main__":
    sys.exit(main())
