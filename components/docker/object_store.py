"""MinIO as a Docker container."""

import pulumi

from components.docker.backend import Backend
from components.docker.context import Attachment, DockerContext
from components.specs import ObjectStoreSpec
from components.workloads.object_store import workload


class ObjectStore(Backend):
    """Container `object-store` with volumes `object-store-data` (retained) and `object-store-secrets`."""

    def __init__(
        self,
        name: str,
        spec: ObjectStoreSpec,
        context: DockerContext,
        attachment: Attachment,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ObjectStore", name, context, attachment, workload(spec), opts)
