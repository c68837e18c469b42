"""Where the cluster is: everything in one folder of the user's cache, and the addresses that it uses."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

SERVICES = ("10.96.0.0/16", "fd00:10:96::/112")
PODS = ("10.244.0.0/16", "fd00:10:244::/48")
NODES = ("10.250.0.0/24", "fd00:10:250::/64")
API_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
HOST = ("10.250.0.254", "fd00:10:250::fe")
"""This machine's own addresses on the nodes' network."""


@dataclass(frozen=True)
class Node:
    number: int
    """From 1."""

    @property
    def name(self) -> str:
        return f"strata-{self.number}"

    @property
    def addresses(self) -> tuple[str, str]:
        """IPv4 and IPv6."""
        return f"10.250.0.{self.number}", f"fd00:10:250::{self.number}"

    @property
    def pods(self) -> tuple[str, str]:
        """The networks of its pods, IPv4 and IPv6."""
        return f"10.244.{self.number}.0/24", f"fd00:10:244:{self.number}::/64"


def write_whole(path: Path, content: bytes | str, mode: int = 0o644) -> None:
    """Writes a file that is there whole or not at all, also when this process is killed."""
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=mode)
    partial.write_bytes(content if isinstance(content, bytes) else content.encode())
    partial.replace(path)


def on_each(nodes: Iterable[Node], action: Callable[[Node], None]) -> None:
    """Does it for all nodes at once."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(action, nodes))


@dataclass(frozen=True)
class Home:
    root: Path

    @classmethod
    def of_user(cls) -> "Home":
        return cls(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "strata" / "cluster")

    @property
    def run(self) -> Path:
        """What a running cluster makes, and what stays of it when it is down. `wipe` removes it."""
        return self.root / "run"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.root / "kubeconfig"

    @property
    def pki(self) -> Path:
        return self.run / "pki"

    @property
    def logs(self) -> Path:
        return self.run / "logs"

    @property
    def volumes(self) -> Path:
        return self.run / "volumes"

    def network(self, name: str) -> Path:
        """The file that a network namespace is mounted on."""
        return self.run / "net" / name

    def node(self, node: Node) -> Path:
        return self.run / node.name

    def socket(self, node: Node) -> Path:
        """Of the node's containerd."""
        return self.node(node) / "containerd.sock"
