"""The programs of the control plane. They run in the first node's network, and listen there on address or loopback."""

import signal
from collections.abc import Mapping, Sequence

from tests.cluster import network, pki
from tests.cluster.home import PODS, SERVICES, Home, Node
from tests.cluster.parts import Parts
from tests.cluster.processes import Processes

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "volumes")

_ETCD = "http://127.0.0.1:2379"
_PEER = "http://127.0.0.1:2380"


def start_api(home: Home, parts: Parts, processes: Processes) -> None:
    """Starts what answers requests, unless it runs."""
    if processes.pid("etcd") is None:
        processes.stop("kube-apiserver", signal.SIGKILL)  # it takes a minute to find out that there is a new one
    _start(home, parts, processes, {"etcd": _etcd(home), "kube-apiserver": _apiserver(home)})


def start_controllers(home: Home, parts: Parts, processes: Processes) -> None:
    """Starts what acts on requests, unless it runs. It ends by itself where the API does not answer in seconds."""
    commands: dict[str, list[str]] = {
        "kube-controller-manager": _controller_manager(home),
        "kube-scheduler": _scheduler(home),
        "volumes": [f"-kubeconfig={pki.kubeconfig(home, 'admin')}", f"-root={home.volumes}"],
    }
    _start(home, parts, processes, commands)


def _start(home: Home, parts: Parts, processes: Processes, commands: Mapping[str, Sequence[str]]) -> None:
    inside = home.network(Node(1).name)
    for name, command in commands.items():
        processes.start(name, [parts.bin / name, *command], network=inside)


def _etcd(home: Home) -> list[str]:
    return [
        "--name=strata",
        f"--data-dir={home.run}/etcd",
        f"--listen-client-urls={_ETCD}",
        f"--advertise-client-urls={_ETCD}",
        f"--listen-peer-urls={_PEER}",
        f"--initial-advertise-peer-urls={_PEER}",
        f"--initial-cluster=strata={_PEER}",
        "--unsafe-no-fsync",  # a power cut may cost this cluster its state, and nobody a second per object
    ]


def _apiserver(home: Home) -> list[str]:
    keys = home.pki
    address = Node(1).addresses[0]
    return [
        f"--etcd-servers={_ETCD}",
        f"--bind-address={address}",
        f"--advertise-address={address}",
        f"--service-cluster-ip-range={families(SERVICES)}",
        f"--client-ca-file={keys}/ca.crt",
        f"--tls-cert-file={keys}/apiserver.crt",
        f"--tls-private-key-file={keys}/apiserver.key",
        f"--kubelet-certificate-authority={keys}/ca.crt",
        f"--kubelet-client-certificate={keys}/kubelet-client.crt",
        f"--kubelet-client-key={keys}/kubelet-client.key",
        "--kubelet-preferred-address-types=InternalIP",
        f"--requestheader-client-ca-file={keys}/ca.crt",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={keys}/front-proxy-client.crt",
        f"--proxy-client-key-file={keys}/front-proxy-client.key",
        f"--service-account-key-file={keys}/service-accounts.pub",
        f"--service-account-signing-key-file={keys}/service-accounts.key",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        "--profiling=false",
    ]


def _controller_manager(home: Home) -> list[str]:
    config = pki.kubeconfig(home, "kube-controller-manager")
    return [
        *(f"--{kind}kubeconfig={config}" for kind in ("", "authentication-", "authorization-")),
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--use-service-account-credentials=true",
        f"--service-account-private-key-file={home.pki}/service-accounts.key",
        f"--root-ca-file={home.pki}/ca.crt",
        f"--cluster-signing-cert-file={home.pki}/ca.crt",
        f"--cluster-signing-key-file={home.pki}/ca.key",
        "--allocate-node-cidrs=false",  # each node's CNI configuration names its own
        f"--cluster-cidr={families(PODS)}",
        f"--service-cluster-ip-range={families(SERVICES)}",
        f"--flex-volume-plugin-dir={home.run}/flex",
        # A node that is killed is noticed in seconds, so that tests can wait for it.
        "--node-monitor-grace-period=10s",
        "--profiling=false",
    ]


def _scheduler(home: Home) -> list[str]:
    config = pki.kubeconfig(home, "kube-scheduler")
    return [
        *(f"--{kind}kubeconfig={config}" for kind in ("", "authentication-", "authorization-")),
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--profiling=false",
    ]


def families(pair: tuple[str, str]) -> str:
    """The addresses of a pair that this machine can have, as Kubernetes' options take them."""
    return ",".join(pair[: 2 if network.has_ipv6() else 1])
