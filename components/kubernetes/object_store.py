"""MinIO as a StatefulSet."""

import pulumi

from components.kubernetes.backend import Backend, Surroundings
from components.kubernetes.context import KubernetesContext
from components.specs import ObjectStoreSpec
from components.workloads.object_store import workload


class ObjectStore(Backend):
    """StatefulSet and Service `object-store`, claim `data-object-store-0` (retained)."""

    def __init__(
        self,
        name: str,
        spec: ObjectStoreSpec,
        context: KubernetesContext,
        surroundings: Surroundings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ObjectStore", name, context, surroundings, workload(spec), spec.storage, opts)
