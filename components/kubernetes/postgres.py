"""Postgres as a StatefulSet."""

import pulumi

from components.kubernetes.backend import Backend, Surroundings
from components.kubernetes.context import KubernetesContext
from components.specs import PostgresSpec
from components.workloads.postgres import workload


class Postgres(Backend):
    """StatefulSet and Service `db-postgres`, claim `data-db-postgres-0` (retained)."""

    def __init__(
        self,
        name: str,
        spec: PostgresSpec,
        context: KubernetesContext,
        surroundings: Surroundings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Postgres", name, context, surroundings, workload(spec), spec.storage, opts)
