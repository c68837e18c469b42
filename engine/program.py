"""The program's process: started with its own interpreter, its output passed on, and gone when the run ends."""

import json
import os
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

_LAUNCHER = Path(__file__).with_name("launcher.py")
_GRACE = 5.0  # seconds between asking a process to end and ending it


class Child:
    """A process of a run in a session of its own, so that Ctrl-C in the terminal reaches only the engine.

    It reads nothing from its standard input but the end of it, which tells it that the engine is gone.
    """

    def __init__(
        self, command: list[str], *, folder: Path, environment: Mapping[str, str], say: Callable[[str, bool], None]
    ) -> None:
        """`say` is told each line and whether it came from stderr."""
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._readers = [
            threading.Thread(target=_pump, args=(stream, say, errors), daemon=True)
            for stream, errors in ((self._process.stdout, False), (self._process.stderr, True))
        ]
        for reader in self._readers:
            reader.start()

    def ended(self, wait: float = 0) -> int | None:
        """The exit code, once there is one; waits for it up to so many seconds."""
        try:
            code = self._process.wait(wait)
        except subprocess.TimeoutExpired:
            return None
        for reader in self._readers:
            reader.join(_GRACE)
        return code

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            if self.ended(_GRACE) is None:
                self._process.kill()
        self.ended(_GRACE)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()


def _pump(stream: IO[str] | None, say: Callable[[str, bool], None], errors: bool) -> None:
    for line in stream or ():
        say(line.rstrip("\n"), errors)


def start(
    *,
    python: Path,
    program: Path,
    root: Path,
    project: str,
    stack: str,
    address: str,
    dry: bool,
    parallel: int,
    environment: Mapping[str, str],
    say: Callable[[str, bool], None],
) -> Child:
    """`program` is the folder with `__main__.py`, or a file; `address` is where monitor and engine listen."""
    folder, name = (program, ".") if program.is_dir() else (program.parent, program.name)
    options = {
        "program": name,
        "folder": str(folder),
        "settings": {
            "monitor": address,
            "engine": address,
            "project": project,
            "stack": stack,
            "parallel": parallel,
            "dry_run": dry,
            "organization": "organization",
            "root_directory": str(root),
        },
    }
    # -P: this folder must not be where the program's imports are looked for.
    command = [str(python), "-u", "-P", str(_LAUNCHER), json.dumps(options)]
    return Child(command, folder=folder, environment=environment, say=say)
