"""Redis as a workload: options, files, limits; the same on every platform."""

from typing import Final

from components import naming
from components.slices.redis.default_user import RULES as DEFAULT_USER
from components.specs import REDIS_PORT, RedisSpec
from components.workloads.workload import LOGIN, Workload

UID: Final = 999  # of `redis` in the official Debian images
STOP_TIMEOUT: Final = 60  # Redis gives its own shutdown 10 s, plus the last write of the log


def workload(spec: RedisSpec, owner: str | None = None) -> Workload:
    return Workload(
        backend="redis",
        name=naming.dedicated_redis(owner) if owner else naming.REDIS,
        owner=owner,
        version=spec.version,
        admin_rotation=spec.admin_rotation,
        uid=UID,
        port=REDIS_PORT,
        host_port=spec.port,
        data_path="/data",
        arguments=arguments(spec),
        memory=spec.memory,
        cpu=spec.cpu,
        stop_signal="SIGTERM",
        stop_timeout=STOP_TIMEOUT,
        secret_files={
            "admin": "plain",
            "admin.sha256": "sha256",
            **({f"{LOGIN}.sha256": "sha256"} if owner else {}),
        },
        tmpfs={"/tmp": "16m"},  # noqa: S108 - a mount point
        env={"STRATA_DEFAULT_USER": " ".join(DEFAULT_USER)} if owner else {},
    )


def arguments(spec: RedisSpec) -> tuple[str, ...]:
    """redis-server's options. Sources: redis.conf of 8.0 and the persistence chapter of the Redis manual."""
    options = {
        "port": str(REDIS_PORT),
        "protected-mode": "no",  # the ACL file refuses whoever has no password
        "maxmemory": str(spec.memory * 3 // 4),  # the rest is for the fork's copy-on-write and client buffers
        "maxmemory-policy": spec.maxmemory_policy.value,
        "appendonly": "yes",
        "appendfsync": "everysec",  # a crash of the host loses one second at most
        "aof-use-rdb-preamble": "yes",
        "aof-load-truncated": "yes",
        "auto-aof-rewrite-percentage": "100",
        "auto-aof-rewrite-min-size": "64mb",
        "tcp-keepalive": "60",
        "timeout": "0",
        "shutdown-timeout": "10",
    }
    return tuple(part for key, value in options.items() for part in (f"--{key}", value))
