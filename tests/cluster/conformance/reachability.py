"""Who reaches whom: a server, and clients on its node, on another node and in another namespace."""

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from tests.cluster.access import Access
from tests.cluster.conformance import manifests as m
from tests.cluster.kubectl import Kubectl, Shell, eventually

# agnhost's porter serves a port for each of these variables.
PORTS = (80, 81, 6000, 6001, 6002)
# Who asks, by the name that the tests give it: `client` is on another node than the server, `neighbour` on its own.
CLIENTS = ("client", "neighbour", "foreigner")
LENGTH = {"IPv4": 32, "IPv6": 128}
CONNECT = "/agnhost connect --timeout=200ms"


@dataclass(frozen=True)
class Network:
    kubectl: Kubectl
    """In the server's namespace, with `client` and `neighbour`."""
    elsewhere: Kubectl
    """In the namespace of `foreigner`, which has the label team=other."""
    addresses: Mapping[str, Mapping[str, str]]
    """Pod and family to address."""
    shells: Mapping[str, Shell]
    """Of the clients."""

    @property
    def families(self) -> list[str]:
        return list(self.addresses["server"])

    def reached(self, client: str, targets: Mapping[str, str]) -> set[str]:
        """Those of the targets (name to address with port) that `client` can connect to; all are tried at once."""
        lines = [f"( {CONNECT} {address} 2>/dev/null && echo {name} ) &" for name, address in targets.items()]
        return set(self.shells[client]("\n".join([*lines, "wait"])).split())

    def expect(self, wanted: Mapping[str, Collection[int]] | Collection[str], tried: Collection[int] = (80,)) -> None:
        """Waits until each client reaches exactly the ports of the server that `wanted` names, in each family.

        `wanted`: port numbers by client, or the clients that reach all that are tried.
        """
        ports = wanted if isinstance(wanted, Mapping) else dict.fromkeys(wanted, tried)
        targets = {
            f"{family}-{port}": self.at("server", family, port) for family in self.families for port in sorted(tried)
        }
        expected = {
            client: {f"{family}-{port}" for family in self.families for port in ports.get(client, ())}
            for client in CLIENTS
        }

        def problem() -> str | None:
            with ThreadPoolExecutor() as pool:
                found = dict(zip(CLIENTS, pool.map(lambda client: self.reached(client, targets), CLIENTS), strict=True))
            return None if found == expected else f"reached: {found}, wanted: {expected}"

        eventually(problem, 20)

    def at(self, pod: str, family: str, port: int) -> str:
        address = self.addresses[pod][family]
        return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


@contextmanager
def new_network(access: Access, nodes: list[str]) -> Iterator[Network]:
    image = access.image
    porter = m.container(image, "porter", env=[{"name": f"SERVE_PORT_{port}", "value": "open"} for port in PORTS])
    porter["ports"] = [{"name": "web", "containerPort": 80}, {"name": "admin", "containerPort": 81}]
    udp = {**m.container(image, "netexec", "--http-port=8080", "--udp-port=8081"), "name": "udp"}
    with access.kubectl.new_namespace() as kubectl, access.kubectl.new_namespace(team="other") as elsewhere:
        kubectl.apply(
            m.service("server", ports=[{"port": 80}]),
            m.pod("server", porter, udp, nodeName=nodes[0]),
            m.pod("client", m.container(image, "pause"), nodeName=nodes[-1]),
            m.pod("neighbour", m.container(image, "pause"), nodeName=nodes[0]),
        )
        # In another namespace with the labels of one that is allowed: only its namespace tells them apart.
        elsewhere.apply(m.pod("foreigner", m.container(image, "pause"), labels={"app": "client"}, nodeName=nodes[-1]))
        kubectl.ready("server", "client", "neighbour")
        elsewhere.ready("foreigner")
        addresses = {}
        shells = {name: (elsewhere if name == "foreigner" else kubectl).shell(name) for name in CLIENTS}
        for name in ("server", *CLIENTS):
            where = elsewhere if name == "foreigner" else kubectl
            found = [each["ip"] for each in where.get("pod", name)["status"]["podIPs"]]
            addresses[name] = {"IPv6" if ":" in ip else "IPv4": ip for ip in found}
        try:
            yield Network(kubectl, elsewhere, addresses, shells)
        finally:
            for shell in shells.values():
                shell.close()
