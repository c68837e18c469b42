"""Qdrant as a workload: variables, files, limits; the same on every platform."""

from typing import Final

from components import naming
from components.slices.qdrant.logins import admin_token
from components.specs import QDRANT_GRPC_PORT, QDRANT_PORT, QdrantSpec
from components.workloads.workload import Workload

UID: Final = 1000  # of the official unprivileged images
STOP_TIMEOUT: Final = 60  # Qdrant writes out what it holds in memory


def workload(spec: QdrantSpec) -> Workload:
    return Workload(
        backend="qdrant",
        name=naming.QDRANT,
        version=spec.version,
        admin_rotation=spec.admin_rotation,
        root="api-key",
        root_rotation=spec.root_rotation,
        credential=admin_token,
        uid=UID,
        port=QDRANT_PORT,
        host_port=spec.port,
        grpc_port=QDRANT_GRPC_PORT,
        host_grpc_port=spec.grpc_port,
        data_path="/qdrant/storage",
        arguments=(),
        memory=spec.memory,
        cpu=spec.cpu,
        stop_signal="SIGTERM",
        stop_timeout=STOP_TIMEOUT,
        secret_files={"api-key": "plain"},
        tmpfs={"/tmp": "16m"},  # noqa: S108 - a mount point
        env={
            "QDRANT__SERVICE__JWT_RBAC": "true",
            "QDRANT__TELEMETRY_DISABLED": "true",
            # On the data volume, as large as it is: the root is read-only.
            "QDRANT__STORAGE__SNAPSHOTS_PATH": "/qdrant/storage/snapshots",
            "QDRANT__STORAGE__TEMP_PATH": "/qdrant/storage/temp",
            "QDRANT_INIT_FILE_PATH": "/tmp/.qdrant-initialized",  # noqa: S108 - a tmpfs of its own
        },
    )
