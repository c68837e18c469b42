"""The process in which a program's dynamic providers run: the SDK's own host, made to end with the engine.

Started by path with the program's interpreter, in the program's folder; imports the SDK and the standard library only.
Its first line of standard input is a JSON list of pickled providers that it is likely to be asked for. One that has a
method `preload` is told to import what it needs only when it acts.
"""

import base64
import contextlib
import json
import os
import runpy
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any


def main() -> None:
    sys.path.insert(0, str(Path.cwd()))  # as `python -m` does
    import pulumi

    threading.Thread(target=_follow_the_engine, daemon=True).start()
    _report_user_errors_by_message(pulumi.RunError)
    sys.argv = ["pulumi.dynamic"]
    runpy.run_module("pulumi.dynamic", run_name="__main__", alter_sys=True)


def _report_user_errors_by_message(kind: type[Exception]) -> None:
    """The host answers a failed call with `traceback.format_exc()`; an error meant for the user needs no traceback."""
    formatted: Callable[..., str] = traceback.format_exc

    def format_exc(*args: Any, **kwargs: Any) -> str:
        error = sys.exc_info()[1]
        return str(error) if isinstance(error, kind) else formatted(*args, **kwargs)

    traceback.format_exc = format_exc


def _follow_the_engine() -> None:
    """Imports what providers need while the program is still doing so, too; ends when the engine does."""
    import dill  # type: ignore[import-untyped]

    for provider in json.loads(sys.stdin.readline() or "[]"):
        with contextlib.suppress(Exception):  # it is told when, and if, that provider is asked for
            loaded = dill.loads(base64.b64decode(provider))  # noqa: S301 - the host does so with every state's providers
            getattr(loaded, "preload", lambda: None)()
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
