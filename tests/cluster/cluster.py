"""Brings the cluster up and down. Each step can be repeated, and what an interrupted one left behind goes first."""

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from string import Template
from typing import Any

import psutil

from images.chroot import Progress
from tests.cluster import control_plane, host, loading, network, node, parts, pki, teardown
from tests.cluster.errors import ClusterError
from tests.cluster.home import DNS_SERVICE, Home, Node, on_each, write_whole
from tests.cluster.parts import Parts
from tests.cluster.processes import Processes, run

ADDONS = Path(__file__).parent / "addons"
MOST_NODES = 9
_READY_SECONDS = 120


@dataclass(frozen=True)
class Cluster:
    home: Home
    progress: Progress

    @property
    def processes(self) -> Processes:
        return Processes(self.home.run / "processes", self.home.logs)

    @property
    def parts(self) -> Parts:
        return parts.find(self.home)

    @property
    def nodes(self) -> list[Node]:
        """Those of the cluster that is there, up or down; none where there is none."""
        return [Node(number + 1) for number in range(self._record().get("nodes", 0))]

    def up(self, count: int | None = None) -> None:
        """Brings a cluster of `count` nodes (3) up, with the state that it had; does nothing where it is up.

        Raises ClusterError: it can't run here, it has another number of nodes, or a program failed.
        """
        with self._only_one():
            record = self._record()
            if record and count not in (None, record["nodes"]):
                raise ClusterError(
                    f"the cluster has {record['nodes']} nodes: to have {count}, remove it first (`wipe`)"
                )
            built = parts.build(self.home, self.progress)
            if not (record.get("parts") == built.key and self.is_up()):
                if record.get("parts") != built.key or not network.is_up(self.home, self.nodes):
                    host.check(self.home)
                    self._down()
                self._start(built, record.get("nodes") or count or 3)
            self._settle(built)

    def down(self) -> None:
        """Ends every process of the cluster and leaves this machine as it was. The cluster's state stays."""
        with self._only_one():
            self._down()

    def wipe(self, *, everything: bool = False) -> None:
        """Takes the cluster down and removes its state, and with `everything` also the programs that were built."""
        with self._only_one():
            self._down()
            shutil.rmtree(self.home.run, ignore_errors=True)
            for name in ("kubeconfig", "kubectl"):
                (self.home.root / name).unlink(missing_ok=True)
            if everything:
                for name in ("parts", "build"):
                    shutil.rmtree(self.home.root / name, ignore_errors=True)

    def is_up(self) -> bool:
        nodes = self.nodes
        names = [*control_plane.PROGRAMS, *(f"{program}-{each.name}" for each in nodes for program in node.PROGRAMS)]
        return bool(nodes) and all(self.processes.pid(name) is not None for name in names)

    def kubectl(self, *arguments: str | Path, stdin: str = "", seconds: float = 60) -> str:
        kubectl = [self.parts.bin / "kubectl", f"--kubeconfig={self.home.kubeconfig}"]
        return run([*kubectl, *arguments], stdin=stdin, seconds=seconds)

    def enforce(self, on: bool) -> None:
        """Turns the enforcing of NetworkPolicy on or off, on every node."""
        for each in self.nodes:
            if on:
                node.start_enforcer(self.home, self.parts, self.processes, each)
            else:
                self.processes.stop(f"enforcer-{each.name}")

    def load(self, names: list[str]) -> None:
        """Gives every node images of this machine's Docker. Raises ClusterError when Docker does not have one."""
        with self._only_one():
            if not self.is_up():
                raise ClusterError("the cluster is down: bring it up first (`up`)")
            loading.load(self.home, self.nodes, names, self.progress)

    def status(self) -> dict[str, object]:
        """The processes (name to process id, None: it has ended), their memory in bytes, the nodes that are ready."""
        pids = {name: self.processes.pid(name) for name in self.processes.names()}
        alive = [pid for pid in pids.values() if pid is not None]
        ready: list[str] = []
        if alive:
            with contextlib.suppress(ClusterError):
                ready = self._ready_nodes(0)
        return {
            "up": self.is_up(),
            "nodes": [each.name for each in self.nodes],
            "ready": ready,
            "processes": pids,
            "memory": sum(psutil.Process(pid).memory_info().rss for pid in alive),
            "kubeconfig": str(self.home.kubeconfig) if self.home.kubeconfig.is_file() else None,
            "built": self.parts.folder.is_dir(),
        }

    def _start(self, built: Parts, count: int) -> None:
        ended = [name for name in self.processes.names() if self.processes.pid(name) is None]
        self.progress(f"starting again: {', '.join(ended)}" if ended else f"starting {count} nodes")
        self.home.run.mkdir(parents=True, exist_ok=True, mode=0o700)
        nodes = [Node(number + 1) for number in range(count)]
        write_whole(self.home.run / "cluster.json", json.dumps({"parts": built.key, "nodes": count}))
        host.prepare(self.home, nodes)
        if not network.is_up(self.home, nodes):
            network.up(self.home, nodes)
        pki.make(self.home, nodes)
        control_plane.start_api(self.home, built, self.processes)
        for each in nodes:
            node.configure(self.home, built, each)
            node.start_containerd(self.home, self.processes, each)
        on_each(nodes, lambda each: self._import(built, each))
        self._wait("the API server", lambda: _done(self.kubectl("get", "--raw", "/readyz")))
        control_plane.start_controllers(self.home, built, self.processes)
        for each in nodes:
            node.start(self.home, built, self.processes, each)
        link = self.home.root / "kubectl"
        link.unlink(missing_ok=True)
        link.symlink_to(built.bin / "kubectl")

    def _import(self, built: Parts, each: Node) -> None:
        self._wait(f"containerd of {each.name}", lambda: _done(node.images(self.home, each)))
        present = node.images(self.home, each)
        for name, archive in zip(parts.IMAGES, built.archives, strict=True):
            if built.image(name) not in present:
                node.import_image(self.home, archive, each)

    def _settle(self, built: Parts) -> None:
        """Waits until the cluster can be used."""
        started = time.time()
        values = {"IMAGE": built.image("coredns"), "DNS_SERVICE": DNS_SERVICE}
        addons = [Template(file.read_text()).substitute(values) for file in sorted(ADDONS.glob("*.yaml"))]
        self.kubectl("apply", "-f", "-", stdin="\n---\n".join(addons))
        wanted = [each.name for each in self.nodes]

        def nodes_ready() -> str | None:
            ready = self._ready_nodes(started - 10)
            return None if ready == wanted else f"ready: {', '.join(ready) or 'none'}"

        self._wait("the nodes", nodes_ready)
        question = [
            "timeout",
            "2",
            built.bin / "busybox",
            "nslookup",
            "-type=a",
            "kubernetes.default.svc.cluster.local",
        ]
        inside = self.home.network(Node(1).name)
        self._wait("DNS", lambda: _done(run([*question, DNS_SERVICE], network=inside)))

    def _ready_nodes(self, since: float) -> list[str]:
        """The nodes whose kubelet has said after `since` (seconds of the epoch) that it is ready."""
        ready = []
        for each in json.loads(self.kubectl("get", "nodes", "-o", "json", "--request-timeout=5s"))["items"]:
            conditions = {condition["type"]: condition for condition in each["status"].get("conditions", [])}
            condition = conditions.get("Ready")
            if condition and condition["status"] == "True" and _epoch(condition["lastHeartbeatTime"]) >= since:
                ready.append(each["metadata"]["name"])
        return sorted(ready)

    def _wait(self, what: str, check: Callable[[], str | None]) -> None:
        """Polls until `check` returns None. It returns or raises what is still wrong."""
        started = time.monotonic()
        while True:
            try:
                problem = check()
            except ClusterError as error:
                problem = str(error)
            if problem is None:
                self.progress(f"  {what}: ready after {time.monotonic() - started:.1f} s")
                return
            for name in self.processes.names():
                if self.processes.pid(name) is None:
                    raise ClusterError(f"{name} has ended, while {what} was waited for; {self.processes.log_end(name)}")
            if time.monotonic() - started > _READY_SECONDS:
                raise ClusterError(
                    f"{what} is not ready after {_READY_SECONDS} s: {problem}; the logs: {self.home.logs}"
                )
            time.sleep(0.2)

    def _down(self) -> None:
        if self.processes.names() or network.is_there(self.home):
            self.progress("ending the cluster's processes")
            teardown.down(self.home, self.processes, self.nodes)

    def _record(self) -> dict[str, Any]:
        file = self.home.run / "cluster.json"
        return dict(json.loads(file.read_text())) if file.is_file() else {}

    @contextlib.contextmanager
    def _only_one(self) -> Iterator[None]:
        """Waits for another command on this cluster. The lock goes with the process."""
        if os.geteuid() != 0:
            raise ClusterError("a cluster needs root (network namespaces, mounts, cgroups): run it with sudo")
        self.home.root.mkdir(parents=True, exist_ok=True)
        with (self.home.root / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.progress("waiting for another command on this cluster")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _done(_: object) -> None:
    """For a check that raises where something is wrong."""


def _epoch(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp).timestamp()
