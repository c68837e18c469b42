"""Redis as a StatefulSet."""

import pulumi

from components.kubernetes.backend import Backend, Surroundings
from components.kubernetes.context import KubernetesContext
from components.specs import RedisSpec
from components.workloads.redis import workload


class Redis(Backend):
    """StatefulSet and Service `redis`, claim `data-redis-0` (retained).

    `owner` is an application that has it for itself: `redis-<owner>`, whose only user is the default one.
    """

    def __init__(
        self,
        name: str,
        spec: RedisSpec,
        context: KubernetesContext,
        surroundings: Surroundings,
        opts: pulumi.ResourceOptions | None = None,
        *,
        owner: str | None = None,
    ) -> None:
        super().__init__("Redis", name, context, surroundings, workload(spec, owner), spec.storage, opts)
