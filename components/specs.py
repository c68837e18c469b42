"""What is wanted of backends, whatever the platform.

The specs are the settings of a stack, too: one definition, read from Pulumi.<stack>.yaml.
"""

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from components.quantities import Size, at_least

# The port that each backend listens on inside its container or pod.
POSTGRES_PORT: Final = 5432
REDIS_PORT: Final = 6379
QDRANT_PORT: Final = 6333
QDRANT_GRPC_PORT: Final = 6334
OBJECT_STORE_PORT: Final = 9000

Rotation = Annotated[
    str | None,
    Field(
        coerce_numbers_to_str=True, examples=["2026-01"], description="Any other text: a new administrator's password"
    ),
]
Port = Annotated[int, Field(ge=1024, le=65535)]
Cpu = Annotated[float, Field(ge=0.1, le=128, multiple_of=0.1)]


class Spec(BaseModel):
    """Base of everything a user writes: a key that nobody reads is an error, and nothing changes after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Stage(StrEnum):
    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class MaxmemoryPolicy(StrEnum):
    """What Redis does when it is full. Anything but `noeviction` drops keys: right for a cache, wrong for state."""

    NOEVICTION = "noeviction"
    ALLKEYS_LFU = "allkeys-lfu"
    ALLKEYS_LRU = "allkeys-lru"
    VOLATILE_LFU = "volatile-lfu"
    VOLATILE_LRU = "volatile-lru"
    VOLATILE_TTL = "volatile-ttl"


class PostgresSpec(Spec):
    """Postgres. Memory, cpu and storage size the server; its own settings are derived from them."""

    version: Literal["17"] = Field(examples=["17"], description="Major version; another one needs a migration of data")
    memory: Annotated[Size, at_least("256Mi")] = Field(examples=["1Gi"], description="Limit of the container")
    cpu: float = Field(ge=0.1, le=128, multiple_of=0.1, examples=[1], description="Limit, in cores")
    storage: Annotated[Size, at_least("1Gi")] = Field(
        examples=["20Gi"], description="Size of the data volume where the platform sizes one"
    )
    port: Port = Field(default=POSTGRES_PORT, examples=[5432], description="Port on this host (platform docker)")
    admin_rotation: Rotation = None
    max_connections: int = Field(default=100, ge=10, le=2000, examples=[100])


RedisMemory = Annotated[Size, at_least("64Mi")]
RedisStorage = Annotated[Size, at_least("1Gi")]


class RedisServer(Spec):
    """One Redis server. `maxmemory` is 75 % of the memory limit: the rest is for the fork that rewrites the log."""

    memory: RedisMemory = Field(examples=["256Mi"], description="Limit of the container")
    cpu: Cpu = Field(examples=[0.5], description="Limit, in cores")
    storage: RedisStorage = Field(examples=["10Gi"])
    port: Port = Field(default=REDIS_PORT, examples=[6379], description="Port on this host (platform docker)")
    maxmemory_policy: MaxmemoryPolicy = Field(default=MaxmemoryPolicy.NOEVICTION, examples=["noeviction"])


class RedisOverride(Spec):
    """What a stack has otherwise than an application's claim of a Redis of its own says."""

    memory: RedisMemory | None = Field(default=None, examples=["1Gi"])
    cpu: Cpu | None = Field(default=None, examples=[1])
    storage: RedisStorage | None = Field(default=None, examples=["10Gi"])
    port: Port | None = Field(default=None, examples=[6380])
    maxmemory_policy: MaxmemoryPolicy | None = Field(default=None, examples=["noeviction"])
    admin_rotation: Rotation = None


class RedisSpec(RedisServer):
    """The Redis that applications share, and what is otherwise in this stack about those that they do not share."""

    version: Literal["8"] = Field(examples=["8"], description="Of all of them")
    admin_rotation: Rotation = None
    dedicated: dict[str, RedisOverride] = Field(
        default_factory=dict,
        examples=[{"assistant": {"port": 6380}}],
        description="By application, where its application.yaml has `redis: {mode: dedicated}`",
    )

    def of(self, application: str, server: RedisServer) -> "RedisSpec":
        """The Redis of an application that claims `server` for itself."""
        override = self.dedicated.get(application, RedisOverride()).model_dump(exclude_none=True)
        return RedisSpec(version=self.version, **{**server.model_dump(), **override})


class QdrantSpec(Spec):
    """Qdrant. Vectors lie in mapped files: what fits into `memory` is fast, and nothing is lost of what does not."""

    version: Literal["1"] = Field(examples=["1"])
    memory: Annotated[Size, at_least("256Mi")] = Field(examples=["1Gi"], description="Limit of the container")
    cpu: float = Field(ge=0.1, le=128, multiple_of=0.1, examples=[0.5], description="Limit, in cores")
    storage: Annotated[Size, at_least("1Gi")] = Field(examples=["30Gi"])
    port: Port = Field(default=QDRANT_PORT, examples=[6333], description="REST, on this host (platform docker)")
    grpc_port: Port = Field(default=QDRANT_GRPC_PORT, examples=[6334], description="gRPC, on this host (docker)")
    admin_rotation: Rotation = None
    root_rotation: Rotation = Field(
        default=None,
        coerce_numbers_to_str=True,
        examples=["2026-01"],
        description="Any other text: a new API key, which signs every token; the container restarts once",
    )

    @model_validator(mode="after")
    def _two_ports(self) -> "QdrantSpec":
        if self.port == self.grpc_port:
            raise ValueError(f"port and grpc_port are both {self.port}. Write for instance: grpc_port: {self.port + 1}")
        return self


class ObjectStoreSpec(Spec):
    """MinIO, where no cloud has an S3 of its own. One drive: no parity, so backups are what protects from its loss."""

    version: Literal["2026"] = Field(examples=["2026"], description="Year of the release")
    memory: Annotated[Size, at_least("512Mi")] = Field(examples=["1Gi"], description="Limit of the container")
    cpu: float = Field(ge=0.1, le=128, multiple_of=0.1, examples=[0.5], description="Limit, in cores")
    storage: Annotated[Size, at_least("1Gi")] = Field(examples=["20Gi"])
    port: Port = Field(default=OBJECT_STORE_PORT, examples=[9000], description="Port on this host (platform docker)")
    region: str = Field(
        default="us-east-1",
        pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$",
        examples=["us-west-2"],
        description="That clients sign for. MinIO takes any",
    )
    admin_rotation: Rotation = None
    root_rotation: Rotation = Field(
        default=None,
        coerce_numbers_to_str=True,
        examples=["2026-01"],
        description="Any other text: a new password of root, who makes the administrator; the container restarts once",
    )
