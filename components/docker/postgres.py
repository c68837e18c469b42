"""Postgres as a Docker container."""

import pulumi

from components.docker.backend import Backend
from components.docker.context import Attachment, DockerContext
from components.specs import PostgresSpec
from components.workloads.postgres import workload


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
