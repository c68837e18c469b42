"""The pod of a backend: hardened as Pod Security's `restricted` has it, with the probes of its kind.

Users are the images' own, 999 and 1000, below the 10000 that some audits ask for: volumes keep their owner when they
move between platforms, and the official images have no other user.
"""

from typing import Any, Final

import pulumi

from components.kubernetes.context import PART_OF, KubernetesContext
from components.scripts.probes import probes
from components.workloads.workload import Workload

SERVER: Final = "server"  # the container
DATA: Final = "data"  # the template of its claim
SCRIPTS_PATH: Final = "/run/strata/scripts"
SECRETS_PATH: Final = "/run/strata/secrets"
CHECKSUM: Final = "strata.checksum"
# Fast shutdown for Postgres: not every image names its stop signal, and Kubernetes sends SIGTERM then, which waits for
# clients to leave. The server is process 1.
STOP_FAST: Final = {"exec": {"command": ["sh", "-c", "kill -s INT 1"]}}


def template(
    context: KubernetesContext, work: Workload, image: pulumi.Input[str], checksum: pulumi.Input[str]
) -> dict[str, Any]:
    """The pod template. Another `checksum` rolls the pods out."""
    return {
        "metadata": {
            "labels": context.labels(work.name, component(work)),
            "annotations": {CHECKSUM: checksum},
        },
        "spec": {
            "serviceAccountName": work.name,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,  # variables of other Services would only confuse, Qdrant's own among them
            "terminationGracePeriodSeconds": work.stop_timeout,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": work.uid,
                "runAsGroup": work.uid,
                "fsGroup": work.uid,
                "fsGroupChangePolicy": "OnRootMismatch",
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "affinity": _apart(context),
            "topologySpreadConstraints": [_spread(context, key) for key in ("zone", "hostname")],
            "containers": [_container(work, image)],
            "volumes": [
                {"name": "scripts", "configMap": {"name": scripts_name(work), "defaultMode": 0o444}},
                {"name": "secrets", "secret": {"secretName": secrets_name(work), "defaultMode": 0o440}},
                *(
                    {"name": _slug(path), "emptyDir": {"medium": "Memory", "sizeLimit": _binary(size)}}
                    for path, size in _scratch(work).items()
                ),
            ],
        },
    }


def component(work: Workload) -> str:
    """Its kind, in the words of labels: postgres, redis, qdrant, object-store."""
    return work.backend.replace("_", "-")


def scripts_name(work: Workload) -> str:
    return f"{work.name}-scripts"


def secrets_name(work: Workload) -> str:
    return f"{work.name}-secrets"


def _container(work: Workload, image: pulumi.Input[str]) -> dict[str, Any]:
    # Requests are limits: such pods are the last to be evicted, and memory that is promised is there.
    size = {"cpu": f"{round(work.cpu * 1000)}m", "memory": str(work.memory)}
    ports = {"server": work.port, **({"grpc": work.grpc_port} if work.grpc_port else {})}
    stop = {"lifecycle": {"preStop": STOP_FAST}} if work.stop_signal == "SIGINT" else {}
    return {
        "name": SERVER,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", f"{SCRIPTS_PATH}/start.sh", *work.arguments],
        "env": [{"name": key, "value": value} for key, value in sorted(work.env.items())],
        "ports": [{"name": name, "containerPort": port} for name, port in ports.items()],
        "resources": {"requests": size, "limits": size},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        **probes(work.backend, tls=True),
        **stop,
        "volumeMounts": [
            {"name": DATA, "mountPath": work.data_path},
            {"name": "scripts", "mountPath": SCRIPTS_PATH, "readOnly": True},
            {"name": "secrets", "mountPath": SECRETS_PATH, "readOnly": True},
            *({"name": _slug(path), "mountPath": path} for path in _scratch(work)),
        ],
    }


def _scratch(work: Workload) -> dict[str, str]:
    """Path → size, in memory. Without a limit of its own /dev/shm has 64 MiB, which fails parallel queries."""
    return {**dict(sorted(work.tmpfs.items())), "/dev/shm": str(work.shm)}  # noqa: S108 - a mount point


def _slug(path: str) -> str:
    return path.strip("/").replace("/", "-")


def _binary(size: str) -> str:
    """`64m` as Docker has it, where `m` are MiB; to Kubernetes these are thousandths."""
    return f"{size.removesuffix('m')}Mi" if size.endswith("m") else size


def _apart(context: KubernetesContext) -> dict[str, Any]:
    """One node should not hold all backends, where there are several."""
    term = {"labelSelector": _ours(context), "topologyKey": "kubernetes.io/hostname"}
    prefer = {"weight": 50, "podAffinityTerm": term}
    return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [prefer]}}


def _spread(context: KubernetesContext, key: str) -> dict[str, Any]:
    topology = "topology.kubernetes.io/zone" if key == "zone" else "kubernetes.io/hostname"
    # A volume of one zone must not keep its pod from running when that zone is the fullest.
    return {
        "maxSkew": 1,
        "topologyKey": topology,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": _ours(context),
    }


def _ours(context: KubernetesContext) -> dict[str, Any]:
    labels = {"app.kubernetes.io/part-of": PART_OF, "app.kubernetes.io/instance": context.instance}
    return {"matchLabels": labels}
