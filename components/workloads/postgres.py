"""Postgres as a workload: image, options, files, limits; the same on every platform."""

from typing import Final

from components import naming, postgres_tuning
from components.specs import POSTGRES_PORT, PostgresSpec
from components.workloads.workload import Workload

UID: Final = 999  # of `postgres` in the official Debian images
DATA_PATH: Final = "/var/lib/postgresql/data"  # up to 17; 18 mounts /var/lib/postgresql
# A fast shutdown writes a checkpoint first; the official image warns that 90 s may not be enough for it.
STOP_TIMEOUT: Final = 120


def workload(spec: PostgresSpec) -> Workload:
    parameters = postgres_tuning.settings(spec)
    return Workload(
        backend="postgres",
        name=naming.POSTGRES,
        version=spec.version,
        admin_rotation=spec.admin_rotation,
        uid=UID,
        port=POSTGRES_PORT,
        host_port=spec.port,
        data_path=DATA_PATH,
        arguments=tuple(part for key, value in parameters.items() for part in ("-c", f"{key}={value}")),
        memory=spec.memory,
        cpu=spec.cpu,
        stop_signal="SIGINT",  # fast shutdown; SIGTERM would wait for clients to leave
        stop_timeout=STOP_TIMEOUT,
        secret_files={"verifier": "scram-verifier", "admin": "plain"},
        tmpfs={"/tmp": "64m", "/var/run/postgresql": "1m", "/run/strata/run": "1m"},  # noqa: S108 - a mount point
        env={"PGDATA": f"{DATA_PATH}/pgdata"},
        shm=postgres_tuning.shared_memory(spec),
    )
