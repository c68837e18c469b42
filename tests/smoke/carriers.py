"""What runs a backend - a container, a pod - so that tests can disturb it without knowing which of the two it is."""

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import docker
import pytest

from components.slices.cluster import cluster
from infra.contract import Backend, DockerRuntime, KubernetesRuntime

STOP = 60  # seconds that a backend has for a clean stop


class Carrier(Protocol):
    def process(self) -> str:
        """Another text for another process; raises AssertionError while none runs."""

    def restart(self) -> None:
        """A clean stop, and a start."""

    def crash(self) -> None:
        """SIGKILL; whoever looks after it starts it again."""

    def run(self, command: list[str], environment: Mapping[str, str]) -> tuple[int, str]:
        """Exit code and output of a command beside the server."""


def of(backend: Backend | None) -> Carrier:
    """Skips the test where the contract names nothing."""
    assert backend
    if isinstance(backend.runtime, DockerRuntime):
        return Container(backend.runtime)
    if isinstance(backend.runtime, KubernetesRuntime):
        return Pod(backend.runtime)
    pytest.skip("the contract does not name what runs this backend")


class Container:
    def __init__(self, runtime: DockerRuntime) -> None:
        client = docker.DockerClient(base_url=runtime.docker_host) if runtime.docker_host else docker.from_env()
        self._container = client.containers.get(runtime.container)
        client.close()

    def process(self) -> str:
        self._container.reload()
        state = self._container.attrs["State"]
        assert state["Running"], json.dumps({key: state[key] for key in ("Status", "ExitCode", "Pid")})
        assert state["Pid"], "it is only just starting"
        return str(state["Pid"])

    def restart(self) -> None:
        self._container.restart(timeout=STOP)

    def crash(self) -> None:
        """To the process that the host knows as PID 1 of the container.

        `docker kill` would mark the container as stopped by hand, and its restart policy would not be tried.
        """
        pid = int(self.process())
        groups = Path(f"/proc/{pid}/cgroup")
        if not groups.exists() or str(self._container.id) not in groups.read_text():
            pytest.skip(f"PID {pid} here is not {self._container.name}: its Docker daemon does not run on this host")
        os.kill(pid, signal.SIGKILL)

    def run(self, command: list[str], environment: Mapping[str, str]) -> tuple[int, str]:
        done = self._container.exec_run(command, environment=dict(environment))
        return int(done.exit_code or 0), done.output.decode() if isinstance(done.output, bytes) else ""


class Pod:
    def __init__(self, runtime: KubernetesRuntime) -> None:
        self._runtime = runtime
        self._path = f"/api/v1/namespaces/{runtime.namespace}/pods/{runtime.pod}"

    def process(self) -> str:
        with cluster(self._runtime.context) as api:
            pod = api.get(self._path)
        assert pod is not None, "its StatefulSet has not made it again yet"
        statuses: list[dict[str, Any]] = pod["status"].get("containerStatuses") or []
        assert statuses, "no node has looked at it yet"
        assert "running" in statuses[0]["state"], json.dumps(statuses[0]["state"])
        assert "deletionTimestamp" not in pod["metadata"], "it is being stopped"
        return str(statuses[0]["containerID"])

    def restart(self) -> None:
        with cluster(self._runtime.context) as api:
            api.delete(self._path)

    def crash(self) -> None:
        with cluster(self._runtime.context) as api:
            api.delete(self._path, grace=0)

    def run(self, command: list[str], environment: Mapping[str, str]) -> tuple[int, str]:
        import kr8s
        from kr8s.objects import Pod as Found

        client = kr8s.api(context=self._runtime.context)
        pod = Found.get(self._runtime.pod, namespace=self._runtime.namespace, api=client)
        # The commands are those of a document, with a password of a test stack.
        assigned = [f"{name}={value}" for name, value in environment.items()]
        done = pod.exec(["env", *assigned, *command], container=self._runtime.container, check=False)
        return done.returncode, (done.stdout + done.stderr).decode()
