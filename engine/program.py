"""The program's process: started with its own interpreter, its output passed on, and gone when the run ends."""

import json
import os
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

_LAUNCHER = Path(__file__).with_name("launcher.py")
_GRACE = 5.0  # seconds between asking a process to end and ending it


class Child:
    """A process of a run in a session of its own, so that Ctrl-C in the terminal reaches only the engine.

    The end of its standard input tells it that the engine is gone, however that ended.
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

    def tell(self, line: str) -> None:
        """One line on its standard input. A process that is gone already is found by `ended`."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.write(line + "\n")
                self._process.stdin.flush()

    def ended(self, wait: float = 0) -> int | None:
        """The exit code, once there is one; waits for it up to so many seconds."""
        output = self._readers[0]
        output.join(wait)  # tells of the end at once; Popen.wait looks every 50 ms
        try:
            code = self._process.wait(0 if output.is_alive() else wait)
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
                with suppress(BrokenPipeError):
                    stream.close()


def _pump(stream: IO[str] | None, say: Callable[[str, bool], None], errors: bool) -> None:
    for line in stream or ():
        say(line.rstrip("\n"), errors)


class Program:
    """An interpreter that imports the SDK as soon as it is made, and runs the program when it is told to."""

    def __init__(self, python: Path, program: Path) -> None:
        """`program` is the folder with `__main__.py`, or a file."""
        self._folder, self._name = (program, ".") if program.is_dir() else (program.parent, program.name)
        self._say: Callable[[str, bool], None] | None = None
        self._early: list[tuple[str, bool]] = []  # such as that there is no SDK
        self._lock = threading.Lock()
        # -P: the launcher's folder must not be where the program's imports are looked for.
        command = [str(python), "-u", "-P", str(_LAUNCHER)]
        self._child = Child(command, folder=self._folder, environment={}, say=self._heard)

    def run(
        self, settings: Mapping[str, Any], environment: Mapping[str, str], say: Callable[[str, bool], None]
    ) -> None:
        """`settings` are those of `pulumi.runtime.Settings`; `environment` holds the configuration."""
        with self._lock:
            self._say = say
            for line, errors in self._early:
                say(line, errors)
        folder = str(self._folder)
        options = {"program": self._name, "folder": folder, "settings": settings, "environment": dict(environment)}
        self._child.tell(json.dumps(options))

    def ended(self, wait: float) -> int | None:
        return self._child.ended(wait)

    def stop(self) -> None:
        self._child.stop()

    def _heard(self, line: str, errors: bool) -> None:
        with self._lock:
            if self._say is None:
                self._early.append((line, errors))
            else:
                self._say(line, errors)
