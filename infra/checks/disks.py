"""The disk below a server's data: full means errors for every writer."""

from datetime import UTC, datetime, timedelta
from typing import Final

from components.quantities import GIB, KIB
from components.slices.cluster import cluster
from components.slices.docker_client import daemon, find
from components.slices.errors import SliceError
from infra.checks.reach import FailedError
from infra.contract import Backend, DockerRuntime, KubernetesRuntime

LOOKED: Final = timedelta(minutes=5)  # in which kubelet has looked at every volume, which it does each minute
FULL: Final = 90  # percent in use at which somebody has to act, as the storage document alerts


def room(server: Backend) -> str:
    """How full the file system of the server's data is. Raises FailedError."""
    runtime = server.runtime
    assert runtime is not None
    try:
        found = _in_docker(runtime) if isinstance(runtime, DockerRuntime) else _in_cluster(runtime)
    except SliceError as error:
        raise FailedError(str(error), "") from None
    if found is None:
        return "not known yet: its pod is only just running"
    path, total, free = found
    percent = round(100 * (total - free) / max(total, 1))
    text = f"{path} is {percent} % full, {free / GIB:.1f} of {total / GIB:.0f} GiB are free"
    if percent >= FULL:
        raise FailedError(
            text, "remove what is not needed, or give it a larger disk (in a cluster: `storage` in the settings)"
        )
    return text


def _in_docker(runtime: DockerRuntime) -> tuple[str, int, int]:
    """Path, size and free bytes, as `df` in the container says."""
    name = runtime.container
    with daemon(runtime.docker_host) as client:
        container = find(client.containers.get, name)
        if container is None:
            raise FailedError(f"the container {name} does not exist", "`strata up` makes it again")
        mounts = container.attrs["Mounts"]
        (path,) = (mount["Destination"] for mount in mounts if mount.get("Name") == f"{name}-data")
        code, output = container.exec_run(["df", "-Pk", path])
    if code != 0:
        raise FailedError(f"{name}: {output.decode(errors='replace').strip()}", "`strata up` starts it")
    _, _, used, free, *_ = output.decode().splitlines()[-1].split()
    return path, (int(used) + int(free)) * KIB, int(free) * KIB


def _in_cluster(runtime: KubernetesRuntime) -> tuple[str, int, int] | None:
    """Claim, size and free bytes, as the pod's kubelet says; None while it has not looked at a new pod."""
    where = f"/api/v1/namespaces/{runtime.namespace}/pods/{runtime.pod}"
    with cluster(runtime.context) as api:
        pod = api.get(where)
        if pod is None or "nodeName" not in pod["spec"]:
            raise FailedError(f"the pod {runtime.namespace}/{runtime.pod} does not run", "`strata up` waits for it")
        summary = api.get(f"/api/v1/nodes/{pod['spec']['nodeName']}/proxy/stats/summary") or {}
    for each in summary.get("pods") or ():
        if each["podRef"]["uid"] == pod["metadata"]["uid"]:
            for volume in each.get("volume") or ():
                if "pvcRef" in volume:
                    return volume["pvcRef"]["name"], int(volume["capacityBytes"]), int(volume["availableBytes"])
    started = datetime.fromisoformat(pod["status"].get("startTime") or datetime.now(UTC).isoformat())
    if datetime.now(UTC) - started < LOOKED:
        return None
    raise FailedError(f"kubelet has no figures of the volume of {runtime.pod}", "its node's kubelet log says why")
