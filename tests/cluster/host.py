"""What a cluster needs of this machine, what it changes there, and how that is undone."""

import contextlib
import json
import os
import shutil
import time
from pathlib import Path

from tests.cluster import network
from tests.cluster.errors import ClusterError
from tests.cluster.home import Home, Node, write_whole
from tests.cluster.processes import PATH, mounts_below, run

NEEDED_BYTES = 3 * 1024**3
"""Free disk for a cluster with the local images on three nodes."""

PROGRAMS = {
    "containerd": "containerd",
    "runc": "runc",
    "ip": "iproute2",
    "iptables": "iptables",
    "nft": "nftables",
    "nsenter": "util-linux",
    "losetup": "mount",
    "mkfs.xfs": "xfsprogs",
}
_CONTROLLERS = ("cpu", "cpuset", "memory", "pids")
_CGROUPS = Path("/sys/fs/cgroup")
_GROUP = "strata-cluster"
_GROUPS_SECONDS = 10
_LONGEST_ROOT = 60
"""Longer, and kubelet's sockets would have paths of more than the 107 characters that Linux allows."""

# What kubelet sets for the whole machine (k8s.io/kubernetes/pkg/kubelet/cm, setupKernelTunables).
TUNABLES = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)


def check(home: Home) -> None:
    """Raises ClusterError, with all that is missing, where no cluster can run."""
    if os.geteuid() != 0:
        raise ClusterError("a cluster needs root (network namespaces, mounts, cgroups): run it with sudo")
    path = f"{os.environ.get('PATH', '')}:{PATH}"
    problems = []
    if packages := {package for name, package in PROGRAMS.items() if not shutil.which(name, path=path)}:
        problems.append(f"programs are missing: apt-get install {' '.join(sorted(packages))}")
    if lacking := [name for name in _CONTROLLERS if not _has_controller(name)]:
        problems.append(f"the cgroup controllers {', '.join(lacking)} are not available in {_CGROUPS}")
    if not Path("/dev/loop-control").exists():
        problems.append("there are no loop devices, on which the volumes are mounted: modprobe loop")
    if len(str(home.root)) > _LONGEST_ROOT:
        problems.append(f"{home.root} has more than {_LONGEST_ROOT} characters: set XDG_CACHE_HOME to a shorter folder")
    home.root.mkdir(parents=True, exist_ok=True)
    if (free := shutil.disk_usage(home.root).free) < NEEDED_BYTES:
        problems.append(
            f"{home.root} has {free / 1e9:.1f} GB free and a cluster needs {NEEDED_BYTES / 1e9:.0f} GB: free some, "
            "or set XDG_CACHE_HOME to a larger disk"
        )
    if problems:
        raise ClusterError("no cluster can run here:\n" + "\n".join(f"- {problem}" for problem in problems))
    network.check(home)


def prepare(home: Home, nodes: list[Node]) -> None:
    """Records what will be changed for the whole machine, and makes the nodes' cgroups."""
    record = home.run / "tunables.json"
    if not record.is_file():
        values = {name: (Path("/proc/sys") / name).read_text().strip() for name in TUNABLES}
        write_whole(record, json.dumps(values))
    for hierarchy in _hierarchies():
        parent = hierarchy / _GROUP
        for folder in (parent, *(hierarchy / cgroup(node).lstrip("/") for node in nodes)):
            if hierarchy == _CGROUPS:
                # Of version 2, where a group has the controllers that its parent passes on.
                (folder.parent / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in _CONTROLLERS))
            folder.mkdir(exist_ok=True)
            for name in ("cpuset.cpus", "cpuset.mems"):  # empty in a new group of version 1, which then takes nobody
                if hierarchy != _CGROUPS and (folder / name).exists():
                    (folder / name).write_text((folder.parent / name).read_text())


def cgroup(node: Node) -> str:
    """The group of all pods of a node, as kubelet wants it."""
    return f"/{_GROUP}/{node.name}"


def processes_in(node: Node) -> set[int]:
    """The process ids of a node's pods."""
    found: set[int] = set()
    for hierarchy in _hierarchies():
        for file in (hierarchy / cgroup(node).lstrip("/")).rglob("cgroup.procs"):
            with contextlib.suppress(OSError):
                found.update(int(line) for line in file.read_text().split())
    return found


def restore(home: Home) -> None:
    """Undoes `prepare`, and removes what kubelet and the CNI library leave in folders that can't be chosen."""
    deadline = time.monotonic() + _GROUPS_SECONDS
    while leftover := [error for hierarchy in _hierarchies() if (error := _remove_groups(hierarchy / _GROUP))]:
        if time.monotonic() > deadline:
            raise ClusterError(f"the cluster's cgroups can't be removed: {leftover[0]}; a process in them does not end")
        time.sleep(0.05)
    for link in Path("/var/log/containers").glob("*.log"):
        if link.is_symlink() and link.readlink().is_relative_to(home.run):
            link.unlink()
    results = Path("/var/lib/cni/results")
    for result in results.glob("strata-*"):
        result.unlink()
    for folder in (results, results.parent, Path("/var/log/containers")):
        with contextlib.suppress(OSError):  # somebody else's things are in it, or it was never there
            folder.rmdir()
    record = home.run / "tunables.json"
    if record.is_file():
        for name, value in json.loads(record.read_text()).items():
            (Path("/proc/sys") / name).write_text(value)
        record.unlink()


def _remove_groups(top: Path) -> OSError | None:
    """Why a group is left, such as that the last process in it is still ending."""
    try:
        for folder in (*sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True), top):
            if folder.is_dir():
                folder.rmdir()
    except OSError as error:
        return error
    return None


def unmount(home: Home) -> None:
    """Unmounts everything below the folder of the running cluster, the network's namespaces aside."""
    for point in reversed(mounts_below(home.run)):
        if not point.is_relative_to(home.network("")):
            run(["umount", "--lazy", point])


def _hierarchies() -> list[Path]:
    """Those in which pods get groups. Beside version 1 there may be one of version 2, without controllers."""
    if _is_version_2(_CGROUPS):
        return [_CGROUPS]
    # Names that are symlinks (`cpu` to `cpu,cpuacct`) are the same hierarchy once more.
    return [each for each in sorted(_CGROUPS.iterdir()) if each.is_dir() and not each.is_symlink()]


def _is_version_2(hierarchy: Path) -> bool:
    return (hierarchy / "cgroup.controllers").is_file()


def _has_controller(name: str) -> bool:
    if _is_version_2(_CGROUPS):
        return name in (_CGROUPS / "cgroup.controllers").read_text().split()
    return (_CGROUPS / name).is_dir()
