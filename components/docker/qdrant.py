"""Qdrant as a Docker container."""

import pulumi

from components.docker.backend import Backend
from components.docker.context import Attachment, DockerContext
from components.specs import QdrantSpec
from components.workloads.qdrant import workload


class Qdrant(Backend):
    """Container `vector-db` with volumes `vector-db-data` (retained) and `vector-db-secrets`."""

    def __init__(
        self,
        name: str,
        spec: QdrantSpec,
        context: DockerContext,
        attachment: Attachment,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Qdrant", name, context, attachment, workload(spec), opts)
