"""The properties of docker:index/container:Container.

Where the official provider records an edit (health check, tmpfs, init, mounts, CPU period) but leaves the container
alone, this one replaces or updates the container: an edit that changes nothing would hurt a user.
"""

from engine.providers.bridge.schema import Attribute, Kind, OnChange, Schema
from engine.providers.docker.formats import (
    at_least,
    is_absolute_path,
    is_cpus,
    is_duration,
    is_environment,
    is_name,
    is_not_empty,
    matches,
    one_of,
    within,
)
from engine.providers.docker.resource import LABELS

_TEXT, _INTEGER, _BOOLEAN = Kind.TEXT, Kind.INTEGER, Kind.BOOLEAN
_IS_PORT = within(0, 65535)


def _unsupported(kind: Kind, fields: Schema | None = None) -> Attribute:
    return Attribute(kind=kind, supported=False, fields=fields)


def _capability(name: str) -> str:
    """CHOWN and CAP_CHOWN are one; which of them Docker reads back depends on its version."""
    return name.upper().removeprefix("CAP_")


_CAPABILITIES: Schema = {
    "adds": Attribute(kind=Kind.SET, spelling=_capability, rule=is_not_empty),
    "drops": Attribute(kind=Kind.SET, spelling=_capability, rule=is_not_empty),
}
_HEALTH_CHECK: Schema = {
    "interval": Attribute(kind=_TEXT, default="0s", rule=is_duration),
    "retries": Attribute(kind=_INTEGER, rule=at_least(0)),
    "startInterval": Attribute(kind=_TEXT, default="0s", rule=is_duration),
    "startPeriod": Attribute(kind=_TEXT, default="0s", rule=is_duration),
    "tests": Attribute(kind=Kind.LIST),
    "timeout": Attribute(kind=_TEXT, default="0s", rule=is_duration),
}
_HOST: Schema = {
    "host": Attribute(kind=_TEXT, required=True, rule=is_not_empty),
    "ip": Attribute(kind=_TEXT, required=True, rule=is_not_empty),
}
_MOUNT: Schema = {
    "bindOptions": Attribute(
        kind=Kind.OBJECT,
        fields={
            "propagation": Attribute(
                kind=_TEXT, rule=one_of("private", "rprivate", "shared", "rshared", "slave", "rslave")
            )
        },
    ),
    "readOnly": Attribute(kind=_BOOLEAN),
    "source": Attribute(kind=_TEXT),
    "target": Attribute(kind=_TEXT, required=True, rule=is_absolute_path),
    "tmpfsOptions": Attribute(
        kind=Kind.OBJECT,
        fields={
            "mode": Attribute(kind=_INTEGER, rule=at_least(0)),
            "sizeBytes": Attribute(kind=_INTEGER, rule=at_least(0)),
        },
    ),
    "type": Attribute(kind=_TEXT, required=True, rule=one_of("bind", "volume", "tmpfs")),
    "volumeOptions": _unsupported(Kind.OBJECT, {}),
}
_NETWORK: Schema = {
    "aliases": Attribute(kind=Kind.SET, rule=is_not_empty),
    "driverOpts": _unsupported(Kind.SET),
    "gwPriority": _unsupported(_INTEGER),
    "ipv4Address": Attribute(kind=_TEXT),
    "ipv6Address": Attribute(kind=_TEXT),
    "linkLocalIps": _unsupported(Kind.SET),
    "macAddress": _unsupported(_TEXT),
    "name": Attribute(kind=_TEXT, required=True, rule=is_not_empty),
}
_PORT: Schema = {
    "external": Attribute(kind=_INTEGER, computed=True, rule=_IS_PORT),
    "internal": Attribute(kind=_INTEGER, required=True, rule=within(1, 65535)),
    "ip": Attribute(kind=_TEXT, default="0.0.0.0"),  # noqa: S104 - the official provider's default
    "protocol": Attribute(kind=_TEXT, default="tcp", rule=one_of("tcp", "udp", "sctp")),
}
_ULIMIT: Schema = {
    "hard": Attribute(kind=_INTEGER, required=True),
    "name": Attribute(kind=_TEXT, required=True, rule=is_not_empty),
    "soft": Attribute(kind=_INTEGER, required=True),
}
_VOLUME: Schema = {
    "containerPath": Attribute(kind=_TEXT, required=True, rule=is_absolute_path),
    "fromContainer": _unsupported(_TEXT),
    "hostPath": Attribute(kind=_TEXT, rule=is_absolute_path),
    "readOnly": Attribute(kind=_BOOLEAN),
    "selinuxRelabel": Attribute(kind=_TEXT, rule=one_of("z", "Z")),
    "volumeName": Attribute(kind=_TEXT, rule=is_name),
}
_DEVICES: Schema = {}  # options that are refused have no fields of their own here

CONTAINER: Schema = {
    "attach": _unsupported(_BOOLEAN),
    "bridge": Attribute(kind=_TEXT, output_only=True),
    "capabilities": Attribute(kind=Kind.OBJECT, fields=_CAPABILITIES),
    "cgroupParent": _unsupported(_TEXT),
    "cgroupnsMode": _unsupported(_TEXT),
    "command": Attribute(kind=Kind.LIST, computed=True, rule=is_not_empty),
    "containerLogs": Attribute(kind=_TEXT, output_only=True),
    "containerReadRefreshTimeoutMilliseconds": Attribute(
        kind=_INTEGER, default=15000, on_change=OnChange.RECORD, rule=at_least(0)
    ),
    "cpuPeriod": Attribute(kind=_INTEGER, on_change=OnChange.LIMIT, rule=at_least(0)),
    "cpuQuota": Attribute(kind=_INTEGER, on_change=OnChange.LIMIT, rule=at_least(0)),
    "cpuSet": Attribute(kind=_TEXT, on_change=OnChange.LIMIT, rule=matches(r"\d+([,-]\d+)*", "0-1")),
    "cpuShares": Attribute(kind=_INTEGER, on_change=OnChange.LIMIT, rule=at_least(0)),
    "cpus": Attribute(kind=_TEXT, rule=is_cpus),
    "destroyGraceSeconds": Attribute(kind=_INTEGER, on_change=OnChange.RECORD, rule=at_least(0)),
    "deviceCgroupRules": _unsupported(Kind.SET),
    "deviceReadBps": _unsupported(Kind.SET, _DEVICES),
    "deviceReadIops": _unsupported(Kind.SET, _DEVICES),
    "deviceRequests": _unsupported(Kind.SET, _DEVICES),
    "deviceWriteBps": _unsupported(Kind.SET, _DEVICES),
    "deviceWriteIops": _unsupported(Kind.SET, _DEVICES),
    "devices": _unsupported(Kind.SET, _DEVICES),
    "dns": Attribute(kind=Kind.SET),
    "dnsOpts": Attribute(kind=Kind.SET),
    "dnsSearches": Attribute(kind=Kind.SET),
    "domainname": Attribute(kind=_TEXT),
    "entrypoints": Attribute(kind=Kind.LIST, computed=True),
    "envs": Attribute(kind=Kind.SET, computed=True, rule=is_environment),
    "exitCode": Attribute(kind=_INTEGER, output_only=True),
    "gpus": _unsupported(_TEXT),
    "groupAdds": Attribute(kind=Kind.SET),
    "healthcheck": Attribute(kind=Kind.OBJECT, computed=True, fields=_HEALTH_CHECK),
    "hostname": Attribute(kind=_TEXT, computed=True),
    "hosts": Attribute(kind=Kind.SET, fields=_HOST),
    "image": Attribute(kind=_TEXT, required=True, rule=is_not_empty),
    "init": Attribute(kind=_BOOLEAN, computed=True),
    "ipcMode": Attribute(kind=_TEXT, computed=True),
    "labels": Attribute(kind=Kind.SET, computed=True, fields=LABELS),
    "logDriver": Attribute(kind=_TEXT, computed=True),
    "logOpts": Attribute(kind=Kind.MAP),
    "logs": _unsupported(_BOOLEAN),
    "maxRetryCount": Attribute(kind=_INTEGER, on_change=OnChange.UPDATE, rule=at_least(0)),
    "memory": Attribute(kind=_INTEGER, on_change=OnChange.LIMIT, rule=at_least(0)),
    "memoryReservation": Attribute(kind=_INTEGER, on_change=OnChange.LIMIT, rule=at_least(0)),
    "memorySwap": Attribute(kind=_INTEGER, computed=True, on_change=OnChange.LIMIT, rule=at_least(-1)),
    "mounts": Attribute(kind=Kind.SET, fields=_MOUNT),
    "mustRun": Attribute(kind=_BOOLEAN, default=True, on_change=OnChange.UPDATE),
    "name": Attribute(kind=_TEXT, autonamed=True, rule=is_name),
    "networkDatas": Attribute(kind=Kind.LIST, output_only=True, fields={}),
    "networkMode": Attribute(kind=_TEXT, default="bridge"),
    "networksAdvanced": Attribute(kind=Kind.SET, fields=_NETWORK),
    "pidMode": _unsupported(_TEXT),
    "platform": Attribute(kind=_TEXT, supported=False, computed=True),
    "ports": Attribute(kind=Kind.SET, fields=_PORT),
    "privileged": Attribute(kind=_BOOLEAN),
    "publishAllPorts": _unsupported(_BOOLEAN),
    "readOnly": Attribute(kind=_BOOLEAN),
    "removeVolumes": Attribute(kind=_BOOLEAN, default=True, on_change=OnChange.RECORD),
    "restart": Attribute(
        kind=_TEXT,
        default="no",
        on_change=OnChange.UPDATE,
        rule=one_of("no", "on-failure", "always", "unless-stopped"),
    ),
    "rm": _unsupported(_BOOLEAN),
    "runtime": Attribute(kind=_TEXT, supported=False, computed=True),
    "securityOpts": Attribute(kind=Kind.SET, computed=True, rule=is_not_empty),
    "shmSize": Attribute(kind=_INTEGER, computed=True, rule=at_least(0)),
    "start": Attribute(kind=_BOOLEAN, default=True, on_change=OnChange.RECORD),
    "stdinOpen": _unsupported(_BOOLEAN),
    "stopSignal": Attribute(kind=_TEXT, computed=True),
    "stopTimeout": Attribute(kind=_INTEGER, computed=True, rule=at_least(0)),
    "storageOpts": _unsupported(Kind.MAP),
    "sysctls": Attribute(kind=Kind.MAP),
    "tmpfs": Attribute(kind=Kind.MAP),
    "tty": _unsupported(_BOOLEAN),
    "ulimits": Attribute(kind=Kind.SET, fields=_ULIMIT),
    "uploads": _unsupported(Kind.SET, {}),
    "user": Attribute(kind=_TEXT, computed=True),
    "usernsMode": _unsupported(_TEXT),
    "volumes": Attribute(kind=Kind.SET, fields=_VOLUME),
    "wait": _unsupported(_BOOLEAN),
    "waitTimeout": Attribute(kind=_INTEGER, default=60, on_change=OnChange.RECORD),
    "workingDir": Attribute(kind=_TEXT, computed=True),
}
