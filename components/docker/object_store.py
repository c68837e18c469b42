"""MinIO as a Docker container."""

from typing import Final

import pulumi

from components import naming
from components.docker.backend import Backend
from components.docker.context import Attachment, DockerContext
from components.docker.workload import Workload
from components.specs import OBJECT_STORE_PORT, ObjectStoreSpec

UID: Final = 1000  # what the continuations of MinIO's image and its Helm chart run it as
STOP_TIMEOUT: Final = 60  # MinIO lets requests end for some seconds, and closes what is left


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


def workload(spec: ObjectStoreSpec) -> Workload:
    return Workload(
        backend="object_store",
        name=naming.OBJECT_STORE,
        version=spec.version,
        admin_rotation=spec.admin_rotation,
        uid=UID,
        port=OBJECT_STORE_PORT,
        host_port=spec.port,
        data_path="/data",
        arguments=("--address", f":{OBJECT_STORE_PORT}"),
        memory=spec.memory,
        cpu=spec.cpu,
        stop_signal="SIGTERM",
        stop_timeout=STOP_TIMEOUT,
        secret_files={"root": "plain", "encryption-key": "kms-key"},
        root="root",
        root_rotation=spec.root_rotation,
        keys={"encryption-key": "encryption"},
        tmpfs={"/tmp": "16m"},  # noqa: S108 - a mount point
        # The collector's goal, not a limit: below the container's, or the kernel would end the server first.
        env={"GOMEMLIMIT": str(spec.memory * 9 // 10)},
    )
