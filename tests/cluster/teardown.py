"""Ends a cluster, whatever of it there is, and leaves the machine as it was found."""

import contextlib
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from tests.cluster import control_plane, host, network, node
from tests.cluster.errors import ClusterError
from tests.cluster.home import Home, Node, on_each
from tests.cluster.processes import Processes, identity

_STRAYS = {*control_plane.PROGRAMS, *node.PROGRAMS, "containerd-shim-runc-v2"}


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
    _end_strays(home)
    host.unmount(home)
    network.down(home)
    host.restore(home)


def _end_strays(home: Home) -> None:
    """Ends what else there is of the cluster: what is between containerd and its containers, what nobody recorded."""
    for process in psutil.process_iter(["name", "cmdline"]):
        of_cluster = any(str(home.run) in word for word in process.info["cmdline"] or [])
        if not of_cluster or process.info["name"] not in _STRAYS:
            continue
        with contextlib.suppress(psutil.NoSuchProcess):
            sockets = {Path(str(each.laddr)) for each in process.net_connections("unix") if each.laddr}
            started = identity(process.pid)
            process.kill()
            while started is not None and identity(process.pid) == started:
                time.sleep(0.01)
            for socket in sockets:
                if socket.is_relative_to("/run/containerd/s"):
                    socket.unlink(missing_ok=True)
