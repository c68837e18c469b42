"""Runs a policy pack in an interpreter of its own: the SDK's `python -m pulumi.policy`, started ahead of its need.

Started by path with the pack's interpreter, in the pack's folder; imports the SDK and the standard library only. What
to run, for which stack, is one JSON object on a line of standard input, which comes while the SDK is being imported.
"""

import contextlib
import json
import logging
import os
import runpy
import sys
import threading
from pathlib import Path


def main() -> None:
    sys.path.insert(0, str(Path.cwd()))  # as `python -m` does
    with contextlib.suppress(ImportError):  # the pack itself will say so
        import pulumi_policy  # noqa: F401

    line = sys.stdin.readline()
    if not line:
        return
    threading.Thread(target=_end_with_the_engine, daemon=True).start()
    logging.getLogger("grpc").addHandler(logging.StreamHandler())  # the traceback of a policy that fails
    options = json.loads(line)
    os.environ.update(options["environment"])
    sys.argv = ["pulumi.policy", options["engine"], options["program"]]
    runpy.run_module("pulumi.policy", run_name="__main__", alter_sys=True)


def _end_with_the_engine() -> None:
    """The engine holds the other end of stdin: when it is gone, however it ended, so is this process."""
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
