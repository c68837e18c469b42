"""What is wanted, whatever the platform: the specs of backends and the claims of applications.

They are the settings of a stack, too: one definition, read from Pulumi.<stack>.yaml and application.yaml.
"""

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from components.quantities import Size, at_least

# Postgres cuts identifiers at 63 bytes; `_owner` and `_ro` are appended to an application's name.
APPLICATION_NAME: Final = r"^[a-z][a-z0-9_]{0,39}$"
# A bucket's logical name; with the stack's prefix and the application's name before it, S3's limit is 63.
BUCKET_NAME: Final = r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"
COLLECTION_NAME: Final = r"^[A-Za-z0-9_][A-Za-z0-9_-]{0,127}$"
ROLE_NAME: Final = r"^[a-z][a-z0-9_]{0,62}$"

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
ApplicationName = Annotated[str, Field(pattern=APPLICATION_NAME, examples=["alfred"])]
BucketName = Annotated[str, Field(pattern=BUCKET_NAME, examples=["user-uploads"])]
# What a browser sends as the type of a file, parameters left out (RFC 6838).
ContentType = Annotated[str, Field(pattern=r"^[a-z0-9.+-]+/[a-z0-9.+-]+$", max_length=127, examples=["image/png"])]
# Applications know their collections by these names, so the stack's prefix is not put before them.
CollectionName = Annotated[str, Field(pattern=COLLECTION_NAME, examples=["alfred_documents"])]
IndexType = Literal["keyword", "integer", "float", "bool", "geo", "datetime", "text", "uuid"]
RoleName = Annotated[str, Field(pattern=ROLE_NAME, examples=["authenticated"])]


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


class RedisSpec(Spec):
    """Redis. `maxmemory` is 75 % of the memory limit: the rest is for the fork that rewrites the log."""

    version: Literal["8"] = Field(examples=["8"])
    memory: Annotated[Size, at_least("64Mi")] = Field(examples=["256Mi"], description="Limit of the container")
    cpu: float = Field(ge=0.1, le=128, multiple_of=0.1, examples=[0.5], description="Limit, in cores")
    storage: Annotated[Size, at_least("1Gi")] = Field(examples=["10Gi"])
    port: Port = Field(default=REDIS_PORT, examples=[6379], description="Port on this host (platform docker)")
    admin_rotation: Rotation = None
    maxmemory_policy: MaxmemoryPolicy = Field(default=MaxmemoryPolicy.NOEVICTION, examples=["noeviction"])


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
    admin_rotation: Rotation = None
    root_rotation: Rotation = Field(
        default=None,
        coerce_numbers_to_str=True,
        examples=["2026-01"],
        description="Any other text: a new password of root, who makes the administrator; the container restarts once",
    )


class LoginClaim(Spec):
    """The login that the application connects with, where the application's own name will not do."""

    name: RoleName
    inherit: bool = Field(default=True, description="false: the login has its groups' rights only after SET ROLE")
    member_of: tuple[RoleName, ...] = ()


class PostgresClaim(Spec):
    """A database of its own, named like the application, with owner, read-write login and read-only login."""

    roles: tuple[RoleName, ...] = Field(default=(), description="Group roles (NOLOGIN) that the migrations refer to")
    login: LoginClaim | None = Field(default=None, description="Default: the application's name")
    connection_limit: int = Field(default=20, ge=1, le=1000, examples=[20], description="Of each login")
    statement_timeout: str = Field(
        default="30s", pattern=r"^\d+(ms|s|min)$", examples=["30s"], description="Of each login"
    )


class RedisClaim(Spec):
    """An ACL user on the shared Redis that reaches keys and channels with its prefix, and nothing else."""

    mode: Literal["shared"] = "shared"
    prefix: str = Field(pattern=r"^[a-z][a-z0-9_-]*(:[a-z0-9_-]+)*:$", max_length=64, examples=["alfred:"])


class Distance(StrEnum):
    """How near two vectors are, in Qdrant's words."""

    COSINE = "Cosine"
    DOT = "Dot"
    EUCLID = "Euclid"
    MANHATTAN = "Manhattan"


class VectorClaim(Spec):
    """One vector of every point. Neither its size nor its distance can change without losing it."""

    size: int = Field(ge=1, le=65536, examples=[1536], description="Number of dimensions")
    distance: Distance = Field(default=Distance.COSINE, examples=["Cosine"])
    on_disk: bool = Field(default=False, description="Vectors are read from disk: less memory, slower")
    multivector: bool = Field(default=False, description="A list of vectors each, compared by their best matches")


class CollectionClaim(Spec):
    """One collection: `vector` for points with one unnamed vector, or `vectors` by name."""

    vector: VectorClaim | None = None
    vectors: dict[Annotated[str, Field(pattern=COLLECTION_NAME)], VectorClaim] = Field(default_factory=dict)
    indexes: dict[Annotated[str, Field(min_length=1, max_length=255)], IndexType] = Field(
        default_factory=dict, examples=[{"category": "keyword"}], description="Payload fields that filters use"
    )
    on_disk_payload: bool = Field(default=True, description="Payloads are read from disk; indexed fields are not")

    @model_validator(mode="after")
    def _one_form(self) -> "CollectionClaim":
        if (self.vector is None) == (not self.vectors):
            raise ValueError("write `vector: {size: 1536, distance: Cosine}`, or `vectors:` with a name for each")
        return self

    @property
    def all_vectors(self) -> dict[str, VectorClaim]:
        """By name; the unnamed one has the empty name."""
        return {"": self.vector} if self.vector else dict(self.vectors)


class QdrantClaim(Spec):
    """Collections of the application's own, and tokens that reach them and nothing else.

    Raising `rotation` by one makes new tokens; those before them are accepted until the next rotation. Tokens cannot
    make or delete collections, so every collection that the application uses is declared.
    """

    collections: dict[CollectionName, CollectionClaim] = Field(
        min_length=1, examples=[{"alfred_documents": {"vector": {"size": 1536}}}]
    )
    rotation: int = Field(default=1, ge=1, examples=[1])


class BucketClaim(Spec):
    """One bucket. S3 cannot limit an upload by bucket: presigned uploads do (`infra.uploads`), and tags say it."""

    public: bool = Field(default=False, description="Anybody may read objects whose names they know")
    versioning: bool = Field(default=True, description="Overwritten and deleted objects stay as versions")
    noncurrent_days: int = Field(default=30, ge=1, le=3650, examples=[30], description="How long they stay")
    max_size: Size | None = Field(default=None, examples=["10Mi"], description="Of one upload; default no limit")
    content_types: tuple[ContentType, ...] = Field(default=(), description="Of uploads; default any")


class ObjectStoreClaim(Spec):
    """Buckets of the application's own, and two access keys that reach them and nothing else.

    Raising `rotation` by one makes a new key; the one before it is accepted until the next rotation.
    """

    buckets: dict[BucketName, BucketClaim] = Field(min_length=1, examples=[{"user-uploads": {"public": True}}])
    rotation: int = Field(default=1, ge=1, examples=[1])


class Application(Spec):
    """One application's claims (applications/<name>/application.yaml) and the variables of its configuration."""

    name: ApplicationName
    description: str = Field(min_length=1, examples=["What it is, in one line"])
    postgres: PostgresClaim | None = None
    redis: RedisClaim | None = None
    qdrant: QdrantClaim | None = None
    object_store: ObjectStoreClaim | None = None
    config: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _groups_are_declared(self) -> "Application":
        claim = self.postgres
        missing = set(claim.login.member_of) - set(claim.roles) if claim and claim.login else set()
        if missing:
            raise ValueError(f"login is a member of {', '.join(sorted(missing))}: add it to postgres.roles")
        return self

    @property
    def owner(self) -> str:
        return f"{self.name}_owner"

    @property
    def login(self) -> str:
        return self.postgres.login.name if self.postgres and self.postgres.login else self.name

    @property
    def reader(self) -> str:
        return f"{self.name}_ro"

    @property
    def postgres_roles(self) -> tuple[str, ...]:
        """Every cluster-wide role that this application's slice makes."""
        return (self.owner, self.login, self.reader, *self.postgres.roles) if self.postgres else ()
