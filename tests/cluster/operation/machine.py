"""What a cluster may not change on the machine that it is on."""

from pathlib import Path
from typing import Any

import psutil

from tests.cluster import host, network
from tests.cluster.cluster import Cluster
from tests.cluster.processes import mounts_below, run


def machine() -> dict[str, str]:
    """What the cluster must not touch."""
    found = {
        "rules": run(["nft", "list", "ruleset"]),
        "iptables": run(["sh", "-c", "iptables-save | grep -v '^#' | sed 's/\\[.*\\]//'"]),
        "namespaces": run(["ip", "netns", "list"]),
        "forwarding": Path("/proc/sys/net/ipv4/ip_forward").read_text(),
    }
    if Path("/var/run/docker.sock").exists():
        found["docker"] = run(["docker", "network", "ls", "--quiet"])
    return found


def left_behind(cluster: Cluster) -> dict[str, Any]:
    """What should be gone when the cluster is down; empty where it is."""
    home = cluster.home
    cgroups = [str(path) for path in Path("/sys/fs/cgroup").glob("*/strata-cluster")]
    links = [line for line in run(["ip", "-brief", "link"]).splitlines() if line.startswith(network.INTERFACE)]
    found = {
        "processes": [each.info for each in psutil.process_iter(["pid", "cmdline"]) if _names(each.info, home.run)],
        "mounts": [str(path) for path in mounts_below(home.run)],
        "loops": [line for line in run(["losetup", "--list", "--noheadings"]).splitlines() if str(home.run) in line],
        "cgroups": cgroups + [str(path) for path in Path("/sys/fs/cgroup").glob("strata-cluster")],
        "links": links,
        "cni": [str(path) for path in Path("/var/lib/cni").rglob("strata-*")],
        "logs": [str(path) for path in Path("/var/log/containers").glob("*") if str(home.run) in str(path.readlink())],
    }
    return {key: value for key, value in found.items() if value}


def _names(process: dict[str, Any], folder: Path) -> bool:
    return any(str(folder) in word for word in process["cmdline"] or [])


def tunables() -> dict[str, str]:
    return {name: (Path("/proc/sys") / name).read_text().strip() for name in host.TUNABLES}
