"""kubectl, as the tests use it."""

import json
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.errors import ClusterError
from tests.cluster.processes import run

Manifest = Mapping[str, Any]


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
        time.sleep(0.2)


def background(command: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
    )
