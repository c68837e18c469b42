"""Postgres as a Docker container."""

from typing import Final

import pulumi

from components import naming, postgres_tuning
from components.docker.backend import Backend
from components.docker.context import Attachment, DockerContext
from components.docker.workload import Workload
from components.specs import POSTGRES_PORT, PostgresSpec

UID: Final = 999  # of `postgres` in the official Debian images
DATA_PATH: Final = "/var/lib/postgresql/data"  # up to 17; 18 mounts /var/lib/postgresql
# A fast shutdown writes a checkpoint first; the official image warns that 90 s may not be enough for it.
STOP_TIMEOUT: Final = 120


class Postgres(Backend):
    """Container `db-postgres` with volumes `db-postgres-data` (retained) and `db-postgres-secrets`."""

    def __init__(
        self,
        name: str,
        spec: PostgresSpec,
        context: DockerContext,
        attachment: Attachment,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Postgres", name, context, attachment, workload(spec), opts)


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
        secret_files={"verifier": "scram-verifier", "pgpass": "pgpass"},
        tmpfs={"/tmp": "64m", "/var/run/postgresql": "1m", "/run/strata/run": "1m"},  # noqa: S108 - a mount point
        env={"PGDATA": f"{DATA_PATH}/pgdata"},
        shm=postgres_tuning.shared_memory(spec),
    )
