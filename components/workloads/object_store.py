"""MinIO as a workload: variables, files, limits; the same on every platform."""

from typing import Final

from components import naming
from components.specs import OBJECT_STORE_PORT, ObjectStoreSpec
from components.workloads.workload import Workload

UID: Final = 1000  # what the continuations of MinIO's image and its Helm chart run it as
STOP_TIMEOUT: Final = 60  # MinIO lets requests end for some seconds, and closes what is left


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
