"""What is recorded of a container: the official provider's whole shape, from the inputs and `docker inspect`."""

from collections.abc import Mapping
from typing import Any

from engine.providers.base import Properties
from engine.providers.bridge.plan import comparable, recorded_inputs
from engine.providers.docker.container_request import MEBIBYTE
from engine.providers.docker.container_schema import CONTAINER
from engine.providers.docker.formats import format_cpus, format_duration

# The bridge's note of the Terraform provider's schema version and timeouts (20 minutes, in nanoseconds).
_TIMEOUTS = '{"create":1200000000000,"delete":1200000000000,"update":1200000000000}'
_META = f'{{"e2bfb730-ecaa-11e6-8f88-34363bc7c4c0":{_TIMEOUTS},"schema_version":"2"}}'

Inspected = Mapping[str, Any]


def outputs(inputs: Properties, inspected: Inspected) -> Properties:
    """All outputs. Environment and labels stay the program's: the live ones contain the image's.

    Without inputs (`Container.get`) they are those of a container that was started with its ports as they are.
    """
    recorded = {
        **recorded_inputs(CONTAINER, inputs),
        **_from_config(inspected["Config"]),
        **_from_host(inspected["HostConfig"]),
        **_from_state(inputs, inspected),
        "id": inspected["Id"],
        "name": inspected["Name"].removeprefix("/"),
        "image": inspected["Image"] if inputs.get("image", "").startswith("sha256:") else inspected["Config"]["Image"],
        "platform": inspected.get("Platform", "linux"),
        "__meta": _META,
    }
    return {**recorded, **_as_the_program_spells(inputs, recorded), **_only_if_asked(inputs, inspected)}


def _from_config(config: Inspected) -> Properties:
    health_check = config.get("Healthcheck")
    return {
        "command": config.get("Cmd") or [],
        "domainname": config.get("Domainname", ""),
        "entrypoints": config.get("Entrypoint") or [],
        "healthcheck": health_check and _health_check(health_check),
        "hostname": config.get("Hostname", ""),
        "stdinOpen": config.get("OpenStdin", False),
        "stopSignal": config.get("StopSignal", ""),
        "stopTimeout": config.get("StopTimeout") or 0,
        "tty": config.get("Tty", False),
        "user": config.get("User", ""),
        "workingDir": config.get("WorkingDir", ""),
    }


def _from_host(host: Inspected) -> Properties:
    cpus, swap = host.get("NanoCpus", 0), host.get("MemorySwap", 0)
    return {
        "capabilities": _capabilities(host),
        "cpuSet": host.get("CpusetCpus", ""),
        "cpuShares": host.get("CpuShares", 0),
        "cpus": format_cpus(cpus) if cpus else None,
        "dns": host.get("Dns") or None,
        "dnsOpts": host.get("DnsOptions") or None,
        "dnsSearches": host.get("DnsSearch") or None,
        "groupAdds": host.get("GroupAdd") or None,
        "hosts": [_host_entry(entry) for entry in host.get("ExtraHosts") or ()],
        "init": bool(host.get("Init")),
        "ipcMode": host.get("IpcMode", ""),
        "logDriver": host["LogConfig"]["Type"],
        "maxRetryCount": host["RestartPolicy"]["MaximumRetryCount"],
        "memory": host.get("Memory", 0) // MEBIBYTE,
        "memoryReservation": host.get("MemoryReservation", 0) // MEBIBYTE,
        "memorySwap": swap // MEBIBYTE if swap > 0 else swap,
        "networkMode": host.get("NetworkMode", ""),
        "privileged": host.get("Privileged", False),
        "publishAllPorts": host.get("PublishAllPorts", False),
        "readOnly": host.get("ReadonlyRootfs", False),
        "restart": host["RestartPolicy"]["Name"],
        "rm": host.get("AutoRemove", False),
        "runtime": host.get("Runtime", ""),
        "securityOpts": host.get("SecurityOpt") or [],
        "shmSize": host.get("ShmSize", 0) // MEBIBYTE,
        "sysctls": host.get("Sysctls") or None,
        "tmpfs": host.get("Tmpfs") or None,
        "usernsMode": host.get("UsernsMode", ""),
    }


def _from_state(inputs: Properties, inspected: Inspected) -> Properties:
    """A container that should run and does not is recorded with mustRun=false, so that the next plan starts it."""
    state, network = inspected["State"], inspected["NetworkSettings"]
    running = bool(state["Running"])
    as_wanted = running or not inputs.get("start", True)
    found: Properties = {
        "bridge": network.get("Bridge", ""),
        "exitCode": None if running else state["ExitCode"],
        "mustRun": inputs.get("mustRun", True) and as_wanted,
        "networkDatas": [_endpoint(name, data) for name, data in sorted((network.get("Networks") or {}).items())],
    }
    if running and (inputs.get("ports") or "image" not in inputs):
        found["ports"] = _ports(network.get("Ports") or {})
    return found


def _only_if_asked(inputs: Properties, inspected: Inspected) -> Properties:
    """Options whose live value the official provider looks at only if the program gives one."""
    host = inspected["HostConfig"]
    asked: Properties = {}
    if inputs.get("logOpts"):
        asked["logOpts"] = dict(host["LogConfig"].get("Config") or {})
    if inputs.get("ulimits"):
        asked["ulimits"] = [
            {"hard": limit["Hard"], "name": limit["Name"], "soft": limit["Soft"]} for limit in host.get("Ulimits") or ()
        ]
    return asked


def _as_the_program_spells(inputs: Properties, recorded: Properties) -> Properties:
    """The program's own order and spelling where Docker means the same, so that a reader sees what was written."""
    kept = recorded_inputs(CONTAINER, inputs)
    names = ("capabilities", "dns", "dnsOpts", "dnsSearches", "groupAdds", "hosts", "securityOpts")
    return {
        name: kept[name]
        for name in names
        if kept[name] and comparable(CONTAINER[name], kept[name]) == comparable(CONTAINER[name], recorded[name])
    }


def _capabilities(host: Inspected) -> Properties | None:
    adds, drops = host.get("CapAdd") or [], host.get("CapDrop") or []
    return {"adds": adds, "drops": drops} if adds or drops else None


def _health_check(check: Inspected) -> Properties:
    return {
        "interval": format_duration(check.get("Interval", 0)),
        "retries": check.get("Retries", 0),
        "startInterval": format_duration(check.get("StartInterval", 0)),
        "startPeriod": format_duration(check.get("StartPeriod", 0)),
        "tests": check.get("Test") or [],
        "timeout": format_duration(check.get("Timeout", 0)),
    }


def _host_entry(entry: str) -> Properties:
    host, _, ip = entry.partition(":")
    return {"host": host, "ip": ip}


def _endpoint(name: str, data: Inspected) -> Properties:
    return {
        "gateway": data.get("Gateway", ""),
        "globalIpv6Address": data.get("GlobalIPv6Address", ""),
        "globalIpv6PrefixLength": data.get("GlobalIPv6PrefixLen", 0),
        "ipAddress": data.get("IPAddress", ""),
        "ipPrefixLength": data.get("IPPrefixLen", 0),
        "ipv6Gateway": data.get("IPv6Gateway", ""),
        "macAddress": data.get("MacAddress", ""),
        "networkName": name,
    }


def _ports(ports: Mapping[str, Any]) -> list[Properties]:
    """In the order of the port numbers inside the container."""
    found = []
    for key, bindings in sorted(ports.items(), key=lambda item: int(item[0].split("/")[0])):
        internal, protocol = key.split("/")
        for binding in bindings or ():
            found.append(
                {
                    "external": int(binding["HostPort"]),
                    "internal": int(internal),
                    "ip": binding["HostIp"],
                    "protocol": protocol,
                }
            )
    return found
