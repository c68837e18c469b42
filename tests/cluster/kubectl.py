"""kubectl, as the tests use it."""

import json
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.cluster.errors import ClusterError
from tests.cluster.processes import run

Manifest = Mapping[str, Any]
_END = "---end---"


@dataclass(frozen=True)
class Kubectl:
    program: str | Path
    kubeconfig: Path
    namespace: str = "default"

    def command(self, *arguments: str) -> list[str]:
        return [str(self.program), f"--kubeconfig={self.kubeconfig}", f"--namespace={self.namespace}", *arguments]

    def __call__(self, *arguments: str, stdin: str = "", seconds: float = 60) -> str:
        """Its output. Raises ClusterError with what it said when it fails."""
        return run(self.command(*arguments), stdin=stdin, seconds=seconds)

    def apply(self, *manifests: Manifest) -> None:
        self("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))

    def get(self, *arguments: str) -> Any:
        return json.loads(self("get", *arguments, "-o", "json"))

    def sh(self, pod: str, script: str, seconds: float = 60) -> str:
        """The output of a shell script in the first container of `pod`."""
        return self("exec", pod, "--", "sh", "-c", script, seconds=seconds)

    def shell(self, pod: str) -> "Shell":
        return Shell(self.command("exec", "-i", pod, "--", "sh"))

    @contextmanager
    def new_namespace(self, **labels: str) -> Iterator["Kubectl"]:
        """kubectl in a namespace of its own, which is deleted afterwards."""
        name = f"test-{uuid.uuid4().hex[:8]}"
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
        try:
            yield replace(self, namespace=name)
        finally:
            self("delete", "namespace", name, "--wait=false")

    def ready(self, *names: str, seconds: float = 60) -> None:
        """Waits until the pods `names` are ready. Raises AssertionError with the namespace's last events."""

        def problem() -> str | None:
            pods = {pod["metadata"]["name"]: pod for pod in self.get("pods")["items"]}
            waiting = sorted(name for name in names if not _is_ready(pods.get(name)))
            return f"not ready: {', '.join(waiting)}\n{self.events()}" if waiting else None

        eventually(problem, seconds)

    def events(self, last: int = 12) -> str:
        items = sorted(self.get("events")["items"], key=lambda event: event["metadata"]["creationTimestamp"])
        return "\n".join(
            f"  {event['involvedObject'].get('name')}: {event['reason']}: {event['message']}" for event in items[-last:]
        )


class Shell:
    """A shell in a pod that stays open: it answers in milliseconds, where another `exec` takes a tenth of a second."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = background(command)

    def __call__(self, script: str) -> str:
        """What `script` prints. Raises AssertionError when the shell has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{{\n{script}\n}} < /dev/null\necho {_END}\n")
        self._process.stdin.flush()
        lines: list[str] = []
        for line in self._process.stdout:
            if line.strip() == _END:
                return "".join(lines)
            lines.append(line)
        raise AssertionError(f"the shell has ended: {''.join(lines)}")

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def _is_ready(pod: Mapping[str, Any] | None) -> bool:
    conditions = pod["status"].get("conditions", []) if pod else []
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def eventually(problem: Callable[[], str | None], seconds: float = 30) -> None:
    """Polls until `problem` returns None. Raises AssertionError with what it last returned, or the error it raised."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            last = problem()
        except ClusterError as error:
            last = str(error)
        if last is None:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"still, after {seconds:.0f} s: {last}")
        time.sleep(0.1)


def background(command: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
    )
