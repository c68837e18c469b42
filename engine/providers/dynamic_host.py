"""The process in which a program's dynamic providers run: the SDK's own host, made to end with the engine.

Started by path with the program's interpreter, in the program's folder; imports the SDK and the standard library only.
"""

import os
import runpy
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any


def main() -> None:
    threading.Thread(target=_end_with_the_engine, daemon=True).start()
    sys.path.insert(0, str(Path.cwd()))  # as `python -m` does
    import pulumi

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


def _end_with_the_engine() -> None:
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
