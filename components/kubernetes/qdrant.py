"""Qdrant as a StatefulSet."""

import pulumi

from components.kubernetes.backend import Backend, Surroundings
from components.kubernetes.context import KubernetesContext
from components.specs import QdrantSpec
from components.workloads.qdrant import workload


class Qdrant(Backend):
    """StatefulSet and Service `vector-db`, claim `data-vector-db-0` (retained)."""

    def __init__(
        self,
        name: str,
        spec: QdrantSpec,
        context: KubernetesContext,
        surroundings: Surroundings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Qdrant", name, context, surroundings, workload(spec), spec.storage, opts)
