"""NetworkPolicy: what is blocked is blocked, what is allowed passes, in both families and on every node.

Each test starts from a network where everybody reaches everybody, and looks at that first: a wall that was there before
the policy proves nothing.
"""

import subprocess
from collections.abc import Iterator

import pytest

from tests.cluster.access import Access
from tests.cluster.cluster import Cluster
from tests.cluster.conformance import manifests as m
from tests.cluster.conformance.reachability import CLIENTS, CONNECT, LENGTH, Network, new_network
from tests.cluster.kubectl import background, eventually


@pytest.fixture(scope="module")
def network(access: Access, nodes: list[str]) -> Iterator[Network]:
    with new_network(access, nodes) as network:
        yield network


@pytest.fixture(autouse=True)
def nobody_is_kept_out_before(network: Network) -> Iterator[None]:
    network.expect(CLIENTS)
    yield
    network.kubectl("delete", "networkpolicy", "--all")


def allow(network: Network, *, ports: list[m.Manifest] | None = None, peers: list[m.Manifest] | None = None) -> None:
    """One policy with one rule for what the server gets."""
    rule = {key: value for key, value in (("ports", ports), ("from", peers)) if value is not None}
    network.kubectl.apply(m.network_policy("server", {"app": "server"}, ingress=[rule]))


def pods(**labels: str) -> m.Manifest:
    return {"podSelector": {"matchLabels": labels}}


def test_without_a_rule_nobody_gets_in(network: Network) -> None:
    network.kubectl.apply(m.network_policy("deny", {"app": "server"}, ingress=[]))
    network.expect(())


def test_another_pods_policy_is_not_the_servers(network: Network) -> None:
    network.kubectl.apply(m.network_policy("deny", {"app": "somebody"}, ingress=[]))
    network.elsewhere.apply(m.network_policy("deny", {}, ingress=[]))
    network.expect(CLIENTS)
    network.elsewhere("delete", "networkpolicy", "--all")


def test_pods_of_the_own_namespace_are_let_in_by_label(network: Network) -> None:
    allow(network, peers=[pods(app="client")])
    network.expect({"client"})


def test_an_empty_selector_is_the_own_namespace(network: Network) -> None:
    allow(network, peers=[{"podSelector": {}}])
    network.expect({"client", "neighbour"})


def test_namespaces_are_let_in_by_label(network: Network) -> None:
    allow(network, peers=[{"namespaceSelector": {"matchLabels": {"team": "other"}}}])
    network.expect({"foreigner"})


def test_pods_of_other_namespaces_are_let_in_by_both_labels(network: Network) -> None:
    allow(network, peers=[{"namespaceSelector": {}, **pods(app="client")}])
    network.expect({"client", "foreigner"})
    allow(network, peers=[{"namespaceSelector": {"matchLabels": {"team": "other"}}, **pods(app="neighbour")}])
    network.expect(())


def test_a_block_of_addresses_is_let_in_but_for_its_exceptions(network: Network) -> None:
    for excepted in (("client",), ("client", "foreigner")):
        blocks = [
            {
                "cidr": "0.0.0.0/0" if family == "IPv4" else "::/0",
                "except": [f"{network.addresses[name][family]}/{LENGTH[family]}" for name in excepted],
            }
            for family in network.families
        ]
        allow(network, peers=[{"ipBlock": block} for block in blocks])
        network.expect(set(CLIENTS) - set(excepted))


def test_a_block_is_of_one_family(network: Network) -> None:
    allow(network, peers=[{"ipBlock": {"cidr": "0.0.0.0/0"}}])
    targets = {family: network.at("server", family, 80) for family in network.families}
    eventually(lambda: None if (found := network.reached("client", targets)) == {"IPv4"} else f"reached: {found}")


def test_a_port_is_let_in_by_number_and_by_name(network: Network) -> None:
    network.expect(CLIENTS, {80, 81})
    for port in (81, "admin"):
        allow(network, ports=[{"port": port}], peers=[pods(app="client")])
        network.expect({"client": {81}}, {80, 81})
        network.kubectl("delete", "networkpolicy", "server")
        network.expect(CLIENTS, {80, 81})


def test_a_range_of_ports_ends_where_it_says(network: Network) -> None:
    network.expect(CLIENTS, {80, 6000, 6001, 6002})
    allow(network, ports=[{"port": 6000, "endPort": 6001}])
    network.expect({client: {6000, 6001} for client in CLIENTS}, {80, 6000, 6001, 6002})


def test_protocols_are_told_apart(network: Network) -> None:
    targets = {f"tcp-{family}": network.at("server", family, 8080) for family in network.families}
    targets |= {f"udp-{family}": f"--protocol=udp {network.at('server', family, 8081)}" for family in network.families}

    def eventually_reached(*protocols: str) -> None:
        wanted = {name for name in targets if name.startswith(protocols)}
        eventually(lambda: None if (found := network.reached("client", targets)) == wanted else f"reached: {found}")

    eventually_reached("tcp", "udp")
    allow(network, ports=[{"protocol": "UDP", "port": 8081}])
    eventually_reached("udp")
    allow(network, ports=[{"protocol": "TCP"}])
    eventually_reached("tcp")


def test_rules_add_up(network: Network) -> None:
    network.kubectl.apply(
        m.network_policy("first", {"app": "server"}, ingress=[{"from": [pods(app="client")]}]),
        m.network_policy("second", {}, ingress=[{"from": [pods(app="neighbour")]}]),
        m.network_policy("third", {"app": "server"}, ingress=[]),
    )
    network.expect({"client", "neighbour"})


def test_egress_is_held_back_by_pod_block_and_port(network: Network) -> None:
    """And for IPv6 the client still finds its gateway's link address, without which nothing would pass at all."""
    addresses = network.addresses["server"]
    blocks = [{"ipBlock": {"cidr": f"{addresses[family]}/{LENGTH[family]}"}} for family in network.families]
    others = {"neighbour": {80, 81}, "foreigner": {80, 81}}
    for peers in ([pods(app="server")], blocks):
        rule = {"to": peers, "ports": [{"port": 81}]}
        network.kubectl.apply(m.network_policy("out", {"app": "client"}, egress=[rule]))
        network.expect({**others, "client": {81}}, {80, 81})
    network.kubectl.apply(m.network_policy("out", {"app": "client"}, egress=[]))
    network.expect(others, {80, 81})


def test_egress_to_a_named_port_is_the_destinations(network: Network) -> None:
    rule = {"to": [pods(app="server")], "ports": [{"port": "admin"}]}
    network.kubectl.apply(m.network_policy("out", {"app": "client"}, egress=[rule]))
    network.expect({"neighbour": {80, 81}, "foreigner": {80, 81}, "client": {81}}, {80, 81})


def test_without_egress_to_dns_no_name_is_found(network: Network) -> None:
    ask = "nslookup kubernetes.default.svc.cluster.local >/dev/null 2>&1 && echo found; true"

    def problem(wanted: str) -> str | None:
        found = network.shells["client"](f"timeout 2 sh -c '{ask}'").strip()
        return None if found == wanted else f"{found!r}, wanted {wanted!r}"

    eventually(lambda: problem("found"))
    network.kubectl.apply(m.network_policy("out", {"app": "client"}, egress=[]))
    eventually(lambda: problem(""))
    dns = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        **pods(**{"k8s-app": "kube-dns"}),
    }
    rule = {"to": [dns], "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}
    network.kubectl.apply(m.network_policy("out", {"app": "client"}, egress=[rule]))
    eventually(lambda: problem("found"))
    network.expect({"neighbour", "foreigner"})


def test_a_service_is_no_way_around(network: Network) -> None:
    address = network.kubectl.get("service", "server")["spec"]["clusterIP"]
    targets = {"address": f"{address}:80", "name": "server:80"}
    eventually(lambda: None if network.reached("client", targets) == set(targets) else "not reached")
    allow(network, peers=[pods(app="neighbour")])
    eventually(lambda: None if network.reached("client", targets) == set() else "reached")
    assert network.reached("neighbour", targets) == set(targets)


def test_a_label_that_changes_changes_who_is_let_in(network: Network) -> None:
    allow(network, peers=[pods(role="reader")])
    network.expect(())
    network.kubectl("label", "pod", "neighbour", "role=reader")
    network.expect({"neighbour"})
    network.kubectl("label", "pod", "neighbour", "role-")
    network.expect(())


def test_answers_pass_where_requests_may(network: Network) -> None:
    """The server may send nothing by itself, and still answers."""
    ask = f"{CONNECT} {network.at('client', 'IPv4', 8080)} 2>&1; true"
    eventually(lambda: None if (said := network.kubectl.sh("server", ask).strip()) == "REFUSED" else said)
    network.kubectl.apply(m.network_policy("silent", {"app": "server"}, egress=[]))
    eventually(lambda: None if (said := network.kubectl.sh("server", ask).strip()) == "TIMEOUT" else said)
    network.expect(CLIENTS)


def test_probes_of_the_kubelet_pass(access: Access, network: Network) -> None:
    network.kubectl.apply(m.network_policy("deny", {}, ingress=[]))
    network.expect(())
    network.kubectl.apply(m.pod("probed", m.server(access.image)))
    network.kubectl.ready("probed")
    network.kubectl("delete", "pod", "probed", "--wait=false")


def test_an_established_connection_stays(built: Cluster, network: Network) -> None:
    """Kubernetes leaves it open; here a policy is for new connections, and what runs is not cut off."""
    talks = [
        background(network.kubectl.command("exec", "-i", "client", "--", "nc", address, "8080"))
        for address in network.addresses["server"].values()
    ]
    try:
        for talk in talks:
            assert _ask(talk) == "server"
        network.kubectl.apply(m.network_policy("deny", {"app": "server"}, ingress=[]))
        network.expect(())
        for talk in talks:
            assert _ask(talk) == "server"
    finally:
        for talk in talks:
            talk.kill()
            talk.communicate(timeout=10)


def _ask(talk: subprocess.Popen[str]) -> str:
    """The body of an answer over a connection that stays open."""
    assert talk.stdin is not None
    assert talk.stdout is not None
    talk.stdin.write("GET /hostname HTTP/1.1\r\nHost: server\r\n\r\n")
    talk.stdin.flush()
    length = 0
    while line := talk.stdout.readline().strip():
        if line.lower().startswith("content-length"):
            length = int(line.split()[1])
    return talk.stdout.read(length)


def test_it_is_the_enforcer_that_keeps_out(built: Cluster, network: Network) -> None:
    network.kubectl.apply(m.network_policy("deny", {"app": "server"}, ingress=[]))
    network.expect(())
    built.enforce(False)
    try:
        network.expect(CLIENTS)
    finally:
        built.enforce(True)
    network.expect(())
