"""What Docker is asked for: the body of a container's create call, its network endpoints, and its update."""

from typing import Any

from engine.providers.base import Properties
from engine.providers.docker.formats import parse_cpus, parse_duration
from engine.providers.docker.resource import label_mapping

MEBIBYTE = 1024 * 1024

Body = dict[str, Any]


def creation(inputs: Properties) -> Body:
    """The body of `POST /containers/create` (Docker API 1.41)."""
    return {
        "Image": inputs["image"],
        "Hostname": inputs.get("hostname", ""),
        "Domainname": inputs.get("domainname", ""),
        "User": inputs.get("user", ""),
        "WorkingDir": inputs.get("workingDir", ""),
        "Env": inputs.get("envs", []),
        "Cmd": inputs.get("command"),
        "Entrypoint": inputs.get("entrypoints"),
        "Labels": label_mapping(inputs.get("labels")),
        "StopSignal": inputs.get("stopSignal", ""),
        "StopTimeout": inputs.get("stopTimeout") or None,
        "ExposedPorts": {port: {} for port in _port_bindings(inputs)},
        "Volumes": {volume["containerPath"]: {} for volume in inputs.get("volumes", ())},
        "Healthcheck": _health_check(inputs.get("healthcheck")),
        "HostConfig": _host(inputs),
    }


def _host(inputs: Properties) -> Body:
    capabilities = inputs.get("capabilities") or {}
    return {
        "AutoRemove": False,
        "Binds": _binds(inputs),
        "CapAdd": [_capability(name) for name in capabilities.get("adds", ())],
        "CapDrop": [_capability(name) for name in capabilities.get("drops", ())],
        "Dns": inputs.get("dns", []),
        "DnsOptions": inputs.get("dnsOpts", []),
        "DnsSearch": inputs.get("dnsSearches", []),
        "ExtraHosts": [f"{host['host']}:{host['ip']}" for host in inputs.get("hosts", ())],
        "GroupAdd": inputs.get("groupAdds"),
        "Init": inputs.get("init", False),
        "IpcMode": inputs.get("ipcMode", ""),
        "LogConfig": {"Type": inputs.get("logDriver", ""), "Config": inputs.get("logOpts")},
        "Mounts": [_mount(mount) for mount in inputs.get("mounts", ())],
        "NetworkMode": inputs["networkMode"],
        "PortBindings": _port_bindings(inputs),
        "Privileged": inputs.get("privileged", False),
        "ReadonlyRootfs": inputs.get("readOnly", False),
        "RestartPolicy": _restart_policy(inputs),
        "SecurityOpt": inputs.get("securityOpts", []),
        "ShmSize": inputs.get("shmSize", 0) * MEBIBYTE,
        "Sysctls": inputs.get("sysctls"),
        "Tmpfs": inputs.get("tmpfs"),
        "Ulimits": [
            {"Name": limit["name"], "Soft": limit["soft"], "Hard": limit["hard"]} for limit in inputs.get("ulimits", ())
        ],
        "NanoCpus": parse_cpus(inputs.get("cpus", "0")),
        **_resources(inputs),
    }


def update(inputs: Properties) -> dict[str, Any]:
    """Keyword arguments of docker-py's `update_container`: all that Docker changes in a container that stays."""
    resources = _resources(inputs)
    return {
        "cpu_period": resources["CpuPeriod"],
        "cpu_quota": resources["CpuQuota"],
        "cpu_shares": resources["CpuShares"],
        "cpuset_cpus": resources["CpusetCpus"],
        "mem_limit": resources["Memory"],
        "mem_reservation": resources["MemoryReservation"],
        "memswap_limit": resources["MemorySwap"],
        "restart_policy": _restart_policy(inputs),
    }


def _resources(inputs: Properties) -> Body:
    """Limits that can be changed later. `cpus` has precedence over a period and a quota."""
    swap = inputs.get("memorySwap", 0)
    period_counts = not inputs.get("cpus")
    return {
        "CpuPeriod": inputs.get("cpuPeriod", 0) if period_counts else 0,
        "CpuQuota": inputs.get("cpuQuota", 0) if period_counts else 0,
        "CpuShares": inputs.get("cpuShares", 0),
        "CpusetCpus": inputs.get("cpuSet", ""),
        "Memory": inputs.get("memory", 0) * MEBIBYTE,
        "MemoryReservation": inputs.get("memoryReservation", 0) * MEBIBYTE,
        "MemorySwap": swap * MEBIBYTE if swap > 0 else swap,
    }


def _capability(name: str) -> str:
    """With the prefix, as the docker command sends it; newer daemons read all of them back so."""
    known = name.upper().removeprefix("CAP_")
    return known if known == "ALL" else f"CAP_{known}"


def _restart_policy(inputs: Properties) -> Body:
    return {"Name": inputs["restart"], "MaximumRetryCount": inputs.get("maxRetryCount", 0)}


def _health_check(given: Properties | None) -> Body | None:
    if given is None:
        return None
    check = {
        "Test": given.get("tests", []),
        "Interval": parse_duration(given["interval"]),
        "Timeout": parse_duration(given["timeout"]),
        "StartPeriod": parse_duration(given["startPeriod"]),
        "Retries": given.get("retries", 0),
    }
    start_interval = parse_duration(given["startInterval"])
    return {**check, "StartInterval": start_interval} if start_interval else check


def _binds(inputs: Properties) -> list[str]:
    """Docker's `source:path:options`; a volume entry with neither name nor host path is an anonymous volume."""
    binds = []
    for volume in inputs.get("volumes", ()):
        source = volume.get("hostPath") or volume.get("volumeName")
        if source:
            options = ["ro" if volume.get("readOnly") else "rw", volume.get("selinuxRelabel", "")]
            binds.append(f"{source}:{volume['containerPath']}:{','.join(filter(None, options))}")
    return binds


def _mount(mount: Properties) -> Body:
    body: Body = {
        "Type": mount["type"],
        "Source": mount.get("source", ""),
        "Target": mount["target"],
        "ReadOnly": mount.get("readOnly", False),
    }
    if mount["type"] == "bind" and mount.get("bindOptions"):
        body["BindOptions"] = {"Propagation": mount["bindOptions"].get("propagation", "")}
    if mount["type"] == "tmpfs" and mount.get("tmpfsOptions"):
        options = mount["tmpfsOptions"]
        body["TmpfsOptions"] = {"SizeBytes": options.get("sizeBytes", 0), "Mode": options.get("mode", 0)}
    return body


def _port_bindings(inputs: Properties) -> dict[str, list[Body]]:
    bindings: dict[str, list[Body]] = {}
    for port in inputs.get("ports", ()):
        binding = {"HostIp": port["ip"], "HostPort": str(port.get("external", 0))}
        bindings.setdefault(f"{port['internal']}/{port['protocol']}", []).append(binding)
    return bindings


def endpoint(network: Properties) -> dict[str, Any]:
    """Keyword arguments of docker-py's `connect_container_to_network`."""
    return {
        "aliases": network.get("aliases"),
        "ipv4_address": network.get("ipv4Address"),
        "ipv6_address": network.get("ipv6Address"),
    }
