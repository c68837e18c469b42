"""Redis as a Docker container."""

import pulumi

from components.docker.backend import Backend
from components.docker.context import Attachment, DockerContext
from components.specs import RedisSpec
from components.workloads.redis import workload


class Redis(Backend):
    """Container `redis` with volumes `redis-data` (retained) and `redis-secrets`.

    `owner` is an application that has it for itself: `redis-<owner>`, whose only user is the default one.
    """

    def __init__(
        self,
        name: str,
        spec: RedisSpec,
        context: DockerContext,
        attachment: Attachment,
        opts: pulumi.ResourceOptions | None = None,
        *,
        owner: str | None = None,
    ) -> None:
        super().__init__("Redis", name, context, attachment, workload(spec, owner), opts)
