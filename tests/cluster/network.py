"""The nodes' network: a namespace for each node, one with the bridge between them, and one link to this machine.

Packet filters, NAT and forwarding are the namespaces' own. This machine gets the interface `strata0`, through which it
reaches the nodes' addresses, and nothing else is changed.
"""

import contextlib
import ipaddress
import json
from collections.abc import Sequence
from pathlib import Path

from tests.cluster.errors import ClusterError
from tests.cluster.home import HOST, NODES, SERVICES, Home, Node
from tests.cluster.processes import mounts_below, run

INTERFACE = "strata0"
_SWITCH = "switch"


def has_ipv6() -> bool:
    return Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").is_file()


def check(home: Home) -> None:
    """Raises ClusterError when this machine has another network where the nodes' would be, or another such cluster."""
    if Path("/sys/class/net", INTERFACE).exists() and not _files(home):
        raise ClusterError(
            f"another cluster is up on this machine: the interface {INTERFACE} is not of {home.root}. Take that one "
            "down first, with the XDG_CACHE_HOME (or HOME) that it was brought up with"
        )
    for version, wanted in zip(("-4", "-6"), NODES, strict=True):
        network = ipaddress.ip_network(wanted)
        for route in json.loads(run(["ip", "-json", version, "route"]) or "[]"):
            if route["dst"] == "default" or route.get("dev") == INTERFACE:
                continue
            other = ipaddress.ip_network(route["dst"], strict=False)
            if other.version == network.version and network.overlaps(other):
                raise ClusterError(
                    f"the cluster's nodes need {network}, and this machine reaches {other} through {route.get('dev')}: "
                    "remove that network (for one of Docker: docker network rm)"
                )


def is_up(home: Home, nodes: Sequence[Node]) -> bool:
    there = mounts_below(home.network(""))
    return _complete(home).is_file() and all(
        home.network(name) in there for name in (_SWITCH, *(node.name for node in nodes))
    )


def is_there(home: Home) -> bool:
    """Whether there is anything of the network, if only of a start that was cut off."""
    return bool(_files(home))


def up(home: Home, nodes: Sequence[Node]) -> None:
    switch = home.network(_SWITCH)
    _namespace(switch)
    _batch(switch, ["link add bridge type bridge", "link set bridge up"])
    run(["ip", "link", "add", INTERFACE, "type", "veth", "peer", "name", "host", "netns", switch])
    _batch(switch, ["link set host master bridge", "link set host up"])
    own = [
        f"addr add {address}/{_length(network)} dev {INTERFACE}{_no_probe(address)}" for address, network in _both(HOST)
    ]
    _batch(None, [*own, f"link set {INTERFACE} up"])
    for node in nodes:
        _node_up(home, node, nodes)
    _complete(home).touch()


def _node_up(home: Home, node: Node, nodes: Sequence[Node]) -> None:
    namespace = home.network(node.name)
    _namespace(namespace)
    link = f"link add {node.name} type veth peer name eth0 netns {namespace}"
    _batch(home.network(_SWITCH), [link, f"link set {node.name} master bridge", f"link set {node.name} up"])
    settings = ["net.ipv4.ip_forward=1"]
    if has_ipv6():
        settings += ["net.ipv6.conf.all.forwarding=1", "net.ipv6.conf.default.accept_dad=0"]
    for setting in settings:
        key, _, value = setting.partition("=")
        run(["sh", "-c", f"echo {value} > /proc/sys/{key.replace('.', '/')}"], network=namespace)
    lines = ["link set lo up", "link set eth0 up"]
    for address, network in _both(node.addresses):
        lines.append(f"addr add {address}/{_length(network)} dev eth0{_no_probe(address)}")
    for other in nodes:
        if other != node:
            for (pods, _), (gateway, _) in zip(_both(other.pods), _both(other.addresses), strict=True):
                lines.append(f"route add {pods} via {gateway}")
    # kube-proxy changes a Service's address after this route was found for it. Where nothing is, nothing is reached.
    lines += [f"route add {services} dev eth0" for services, _ in _both(SERVICES)]
    _batch(namespace, lines)


def down(home: Home) -> None:
    """Removes what `up` made, or a part of it. Pods' interfaces go with the namespaces of their nodes."""
    _complete(home).unlink(missing_ok=True)
    files = _files(home)
    if files:  # else it is another cluster's
        with contextlib.suppress(ClusterError):
            run(["ip", "link", "del", INTERFACE])
    for file in files:
        if file in mounts_below(home.network("")):
            run(["umount", file])
        file.unlink()


def _complete(home: Home) -> Path:
    """The file that is there when the network was made to its end."""
    return home.run / "network.complete"


def _files(home: Home) -> list[Path]:
    return list((home.run / "net").glob("*"))


def _both(pair: tuple[str, str]) -> list[tuple[str, str]]:
    """Each address of a pair with the nodes' network of its family; only IPv4 where this machine has no IPv6."""
    return list(zip(pair, NODES, strict=True))[: 2 if has_ipv6() else 1]


def _length(network: str) -> int:
    return ipaddress.ip_network(network).prefixlen


def _no_probe(address: str) -> str:
    """Without it an IPv6 address is usable only after a second, in which the kernel asks whether another has it."""
    return " nodad" if ":" in address else ""


def _namespace(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    run(["unshare", f"--net={file}", "true"])


def _batch(namespace: Path | None, lines: Sequence[str]) -> None:
    run(["ip", "-batch", "-"], network=namespace, stdin="\n".join(lines) + "\n")
