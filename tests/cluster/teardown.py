"""Ends a cluster, whatever of it there is, and leaves the machine as it was found."""

import contextlib
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from tests.cluster import host, network, node
from tests.cluster.errors import ClusterError
from tests.cluster.home import Home, Node, on_each
from tests.cluster.processes import Processes, identity


def down(home: Home, processes: Processes, nodes: Sequence[Node]) -> None:
    """Ends every process, and undoes what was changed on this machine. What the cluster keeps stays in its folder."""
    names = processes.names()
    # kubelet first: it would start again what is killed. The others keep nothing, and need no time to end.
    for name in sorted(names, key=lambda name: not name.startswith("kubelet-")):
        if name != "etcd" and not name.startswith("containerd-"):
            processes.stop(name, signal.SIGKILL)
    for each in nodes:
        for pid in host.processes_in(each):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def remove_containers(each: Node) -> None:
        if processes.pid(f"containerd-{each.name}") is not None:
            # What fails is left to the next start: containerd and kubelet clean up after a crash, only slower.
            with contextlib.suppress(ClusterError):
                node.remove_containers(home, each)

    on_each(nodes, remove_containers)
    for name in names:
        processes.stop(name)
    _end_shims({str(home.socket(each)) for each in nodes})
    host.unmount(home)
    network.down(home)
    host.restore(home)


def _end_shims(containerds: set[str]) -> None:
    """Ends what is left of the processes between a containerd and its containers, and removes their sockets."""
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"].startswith("containerd-shim") and containerds & set(process.info["cmdline"] or []):
            with contextlib.suppress(psutil.NoSuchProcess):
                sockets = {Path(str(each.laddr)) for each in process.net_connections("unix") if each.laddr}
                started = identity(process.pid)
                process.kill()
                while started is not None and identity(process.pid) == started:
                    time.sleep(0.01)
                for socket in sockets:
                    if socket.is_relative_to("/run/containerd/s"):
                        socket.unlink(missing_ok=True)
