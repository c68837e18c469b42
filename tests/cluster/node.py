"""One node: its own containerd, kubelet, kube-proxy and enforcer of NetworkPolicy, in its own network namespace."""

import json
import shutil
from pathlib import Path

from tests.cluster import host, network, pki
from tests.cluster.control_plane import families
from tests.cluster.home import DNS_SERVICE, PODS, Home, Node
from tests.cluster.parts import PLUGINS, Parts
from tests.cluster.processes import Processes, run

PROGRAMS = ("containerd", "kubelet", "kube-proxy", "enforcer")
PLUGIN_SCRIPTS = Path(__file__).parent / "plugins"


def configure(home: Home, parts: Parts, node: Node) -> None:
    """Writes the node's configuration files."""
    folder = home.node(node)
    for name in ("cni", "pod-logs", "plugins"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for plugin in (*(parts.bin / name for name in PLUGINS), *PLUGIN_SCRIPTS.iterdir()):
        link = folder / "plugins" / plugin.name
        link.unlink(missing_ok=True)
        link.symlink_to(plugin)
    (folder / "resolv.conf").touch()  # pods that take the node's resolver get none: nothing leaves this machine
    (folder / "cni" / "strata.conflist").write_text(json.dumps(_cni(home, node), indent=1))
    (folder / "containerd.toml").write_text(_containerd(home, parts, node))
    (folder / "kubelet.yaml").write_text(json.dumps(_kubelet(home, node), indent=1))


def start(home: Home, parts: Parts, processes: Processes, node: Node) -> None:
    """Starts the programs that do not run, containerd aside."""
    inside = home.network(node.name)
    folder = home.node(node)
    kubelet = [
        *(parts.bin / "kubelet", f"--config={folder}/kubelet.yaml", f"--root-dir={folder}/kubelet"),
        f"--kubeconfig={pki.kubeconfig(home, node.name)}",
        f"--hostname-override={node.name}",
        f"--node-ip={families(node.addresses)}",
    ]
    proxy = [
        *(parts.bin / "kube-proxy", "--proxy-mode=nftables", f"--hostname-override={node.name}"),
        f"--kubeconfig={pki.kubeconfig(home, 'kube-proxy')}",
        f"--cluster-cidr={families(PODS)}",
        # The table of connections is the whole machine's: its limits stay.
        *(f"--conntrack-{limit}=0" for limit in ("max-per-core", "tcp-timeout-established", "tcp-timeout-close-wait")),
        *("--metrics-bind-address=127.0.0.1:10249", "--healthz-bind-address=127.0.0.1:10256"),
    ]
    processes.start(f"kubelet-{node.name}", kubelet, network=inside)
    processes.start(f"kube-proxy-{node.name}", proxy, network=inside)
    start_enforcer(home, parts, processes, node)


def start_enforcer(home: Home, parts: Parts, processes: Processes, node: Node) -> None:
    command = [parts.bin / "enforcer", "-kubeconfig", pki.kubeconfig(home, "admin"), "-node", node.name]
    processes.start(f"enforcer-{node.name}", command, network=home.network(node.name))


def start_containerd(home: Home, processes: Processes, node: Node) -> None:
    # An image that is not there can't be pulled. With a proxy that is not there that is known at once, and nobody is
    # asked.
    dead = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:1")
    command = ["containerd", "--config", home.node(node) / "containerd.toml"]
    processes.start(f"containerd-{node.name}", command, network=home.network(node.name), env=dead)


def import_image(home: Home, archive: Path, node: Node) -> None:
    """Gives the node the images of a `docker save` archive."""
    run(["ctr", "--address", home.socket(node), "--namespace", "k8s.io", "images", "import", archive], seconds=300)


def images(home: Home, node: Node) -> set[str]:
    listing = run(["ctr", "--address", home.socket(node), "--namespace", "k8s.io", "images", "ls", "-q"])
    return set(listing.split())


def remove_containers(home: Home, node: Node) -> None:
    """Removes every container of the node. Those that run are killed."""
    ctr = ["ctr", "--address", home.socket(node), "--namespace", "k8s.io"]
    if tasks := run([*ctr, "tasks", "ls", "-q"]).split():
        run([*ctr, "tasks", "rm", "--force", *tasks])
    if containers := run([*ctr, "containers", "ls", "-q"]).split():
        run([*ctr, "containers", "rm", *containers])
    shutil.rmtree(home.node(node) / "addresses", ignore_errors=True)


def _cni(home: Home, node: Node) -> dict[str, object]:
    """`ptp` (by way of `routed`) and not `bridge`: traffic of pods is forwarded, and the enforcer sees all of it."""
    count = 2 if network.has_ipv6() else 1
    ranges = [[{"subnet": subnet}] for subnet in node.pods[:count]]
    routes = [{"dst": everywhere} for everywhere in ("0.0.0.0/0", "::/0")[:count]]
    ipam = {"type": "host-local", "dataDir": f"{home.node(node)}/addresses", "ranges": ranges, "routes": routes}
    return {
        "cniVersion": "1.0.0",
        "name": node.name,
        "plugins": [
            {"type": "routed", "ipMasq": False, "mtu": 1500, "ipam": ipam},
            {"type": "portmap", "backend": "nftables", "capabilities": {"portMappings": True}},
        ],
    }


def _containerd(home: Home, parts: Parts, node: Node) -> str:
    folder = home.node(node)
    # A file system that is an overlay itself, as a container's, can't carry another one.
    kind = run(["stat", "--file-system", "--format=%T", home.root]).strip()
    snapshotter = "native" if kind == "overlayfs" else "overlayfs"
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    return f"""\
version = 2
root = "{folder}/containerd"
state = "{folder}/containerd-state"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs", \
"io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]

[grpc]
  address = "{home.socket(node)}"

[{cri}]
  sandbox_image = "{parts.image("pause")}"
  netns_mounts_under_state_dir = true
  restrict_oom_score_adj = true  # lowering it takes a capability that sandboxes lack
  disable_apparmor = true
  disable_hugetlb_controller = true
  tolerate_missing_hugetlb_controller = true
  [{cri}.containerd]
    snapshotter = "{snapshotter}"
    default_runtime_name = "runc"
    [{cri}.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [{cri}.containerd.runtimes.runc.options]
        Root = "{folder}/runc"
        SystemdCgroup = false
  [{cri}.cni]
    bin_dir = "{folder}/plugins"
    conf_dir = "{folder}/cni"
"""


def _kubelet(home: Home, node: Node) -> dict[str, object]:
    folder = home.node(node)
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": node.addresses[0],
        "healthzBindAddress": "127.0.0.1",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{home.pki}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{home.pki}/{node.name}.crt",
        "tlsPrivateKeyFile": f"{home.pki}/{node.name}.key",
        "containerRuntimeEndpoint": f"unix://{home.socket(node)}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": host.cgroup(node),
        "failCgroupV1": False,
        "failSwapOn": False,
        "oomScoreAdj": 0,
        "clusterDomain": "cluster.local",
        "clusterDNS": [DNS_SERVICE],
        "resolvConf": f"{folder}/resolv.conf",
        "podLogsDir": f"{folder}/pod-logs",
        "volumePluginDir": f"{folder}/flex",
        # Images were imported, and one that was collected could not be pulled again.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": dict.fromkeys(("nodefs.available", "imagefs.available", "nodefs.inodesFree"), "1%")
        | {"memory.available": "100Mi"},
        "nodeStatusUpdateFrequency": "4s",
        "nodeLeaseDurationSeconds": 8,
        "syncFrequency": "10s",
        "registerWithTaints": [],
    }
