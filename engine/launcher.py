"""Runs a Pulumi program in an interpreter of its own: what the official CLI's `pulumi-language-python-exec` does.

Started by path with the program's interpreter, which need not know this package; so it imports the SDK and the
standard library only. What to run is one JSON object on a line of standard input, which comes while the SDK is being
imported. Exit codes: 0, 1 for an error that was logged as one message (`pulumi.RunError`), 32 for an exception that was
logged with its traceback.
"""

import asyncio
import atexit
import gc
import json
import logging
import os
import runpy
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LOGGED = 32


def main() -> int:
    atexit.register(gc.freeze)  # spares the interpreter its last collection, 0.15 s for memory that goes anyway
    import pulumi
    import pulumi.runtime

    # The SDK tells each of its steps, in a call that the program waits for. The engine shows none of them.
    pulumi.log.debug = lambda *_args, **_options: None
    line = sys.stdin.readline()
    if not line:
        return 0
    threading.Thread(target=_end_with_the_engine, daemon=True).start()
    options = json.loads(line)
    os.environ.update(options["environment"])
    pulumi.runtime.set_all_config(pulumi.runtime.get_config_env(), pulumi.runtime.get_config_secret_keys_env())
    pulumi.runtime.configure(pulumi.runtime.Settings(**options["settings"]))
    program = options["program"]
    sys.argv = [program]
    os.chdir(options["folder"])
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max_workers=options["settings"]["parallel"] * 4)
    loop.set_default_executor(executor)
    # A program that fails leaves futures behind that nobody awaits; asyncio would complain about each.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: _run(program)))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return 1
    except Exception:  # noqa: BLE001 - the traceback is the message, as with the official CLI
        pulumi.log.error("Program failed with an unhandled exception:\n" + _traceback(program))
        return LOGGED
    finally:
        executor.shutdown(wait=True)
        loop.close()
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


async def _run(program: str) -> None:
    runpy.run_path(program, run_name="__main__")
    await _settled()


async def _settled() -> None:
    """Waits for the outputs of the program, so that the SDK finds none that is left.

    The SDK looks at all of them whenever one is there, which takes minutes with some thousand resources. An output that
    failed stays, and is left to the SDK with all the others.
    """
    from pulumi.runtime.settings import SETTINGS

    while True:
        with SETTINGS.lock:
            outputs = list(SETTINGS.outputs)
        if not outputs:
            return
        done, _ = await asyncio.wait(outputs, return_when=asyncio.FIRST_EXCEPTION)
        if any(output.cancelled() or output.exception() for output in done):
            return


def _traceback(program: str) -> str:
    """From the program's first own frame on."""
    main = _main_file(program)
    frames = traceback.extract_tb(sys.exc_info()[2])
    own = next((index for index, frame in enumerate(frames) if _main_file(frame.filename) == main), None)
    return traceback.format_exc() if own is None else traceback.format_exc(limit=own - len(frames))


def _main_file(path: str) -> str:
    found = Path(path)
    return str((found if found.suffix else found / "__main__").with_suffix(".py").absolute())


def _end_with_the_engine() -> None:
    """The engine holds the other end of stdin: when it is gone, however it ended, so is this process."""
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
