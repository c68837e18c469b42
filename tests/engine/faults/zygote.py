"""A process that has everything imported and forks one engine per request: a kill costs milliseconds then.

`Zygote` talks to it; the module itself is what it runs.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from tests.engine.cloud import Cloud
from tests.engine.faults.containers import Containers
from tests.engine.faults.programs import Version, from_json, to_json
from tests.engine.faults.runs import run

_ROOT = Path(__file__).parents[3]

# Everything by which an engine changes a disk.
_CALLS = ("open", "fdopen", "fsync", "fdatasync", "link", "unlink", "replace", "rename", "close", "write", "mkdir")


@dataclass(frozen=True)
class Answer:
    """`killed`, or how the run ended. `moments` is how many calls it made that it can be killed at."""

    killed: bool
    moments: int
    code: int = 0
    text: str = ""


class Zygote:
    """A context manager. Each `run` is an engine in a process of its own."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.faults.zygote"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)

    def run(self, folder: Path, version: Version | Containers, *, die_at: int = 0, **options: Any) -> Answer:
        """See `runs.run`. With `die_at`, SIGKILL comes in the place of that call, counted from 1."""
        program = {"containers": asdict(version)} if isinstance(version, Containers) else {"nodes": to_json(version)}
        assert self._process.stdin
        assert self._process.stdout
        request = {"folder": str(folder), **program, "die_at": die_at, "options": options}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the zygote is gone"
        return Answer(**json.loads(line))


class Moments:
    """Counts calls, and ends the process in the place of one of them."""

    def __init__(self, die_at: int) -> None:
        self.count, self._die_at = 0, die_at
        self._lock = threading.Lock()

    def pass_(self) -> None:
        with self._lock:
            self.count += 1
            if self.count == self._die_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def watched(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.pass_()
            return function(*arguments, **options)

        return call

    def followed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Counts after the call: it was done, and nobody heard of it."""

        def call(*arguments: Any, **options: Any) -> Any:
            answer = function(*arguments, **options)
            self.pass_()
            return answer

        return call


class FragileCloud(Cloud):
    """Can be killed before each change of a thing, and between the change and its answer."""

    def __init__(self, folder: Path, moments: Moments) -> None:
        super().__init__(folder)
        self._moments = moments

    def _wait(self, inputs: dict[str, Any], moment: str) -> None:
        self._moments.pass_()
        super()._wait(inputs, moment)


def _child(request: dict[str, Any], answers: int) -> None:
    folder, moments = Path(request["folder"]), Moments(request["die_at"])
    cloud = FragileCloud(folder / "cloud", moments)
    tell = os.write  # not counted
    for name in _CALLS:
        setattr(os, name, moments.watched(getattr(os, name)))
    try:
        if containers := request.get("containers"):
            send = requests.Session.send
            requests.Session.send = moments.watched(moments.followed(send))  # type: ignore[method-assign]
            ended = run(folder, Containers(**containers).declare, cloud, **request["options"])
        else:
            ended = run(folder, from_json(request["nodes"]), cloud, **request["options"])
        answer: dict[str, Any] = {"code": ended.code, "text": ended.text}
    except Exception as error:  # noqa: BLE001 - told to the test
        answer = {"code": -1, "text": f"{type(error).__name__}: {error}"}
    tell(answers, json.dumps({**answer, "killed": False, "moments": moments.count}).encode())
    os._exit(0)


def _serve() -> None:
    for line in sys.stdin:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            _child(json.loads(line), write)
        os.close(write)
        with os.fdopen(read) as answers:
            text = answers.read()
        _, status = os.waitpid(child, 0)
        if not text:
            killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
            text = json.dumps({"killed": killed, "moments": 0, "code": -1, "text": f"status {status}"})
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
