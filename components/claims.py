"""What an application claims, whatever the platform, and the variables of its configuration.

One definition, read from application.yaml.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from components.quantities import Size
from components.specs import RedisServer, Spec

# Postgres cuts identifiers at 63 bytes; `_owner` and `_ro` are appended to an application's name.
APPLICATION_NAME: Final = r"^[a-z][a-z0-9_]{0,39}$"
# A bucket's logical name; with the stack's prefix and the application's name before it, S3's limit is 63.
BUCKET_NAME: Final = r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"
COLLECTION_NAME: Final = r"^[A-Za-z0-9_][A-Za-z0-9_-]{0,127}$"
# A volume's, which is its physical name after the stack's prefix: a DNS label, as a claim in a cluster needs it.
VOLUME_NAME: Final = BUCKET_NAME
# Of a secret or a token: templates write `secrets.<name>` and `tokens.<name>`.
SECRET_NAME: Final = r"^[a-z][a-z0-9_]{0,39}$"  # noqa: S105 - a pattern
# Bytes of a key for HS256, at least (RFC 7518, 3.2).
SIGNING_KEY: Final = 32
ROLE_NAME: Final = r"^[a-z][a-z0-9_]{0,62}$"

ApplicationName = Annotated[str, Field(pattern=APPLICATION_NAME, examples=["alfred"])]
BucketName = Annotated[str, Field(pattern=BUCKET_NAME, examples=["user-uploads"])]
# What a browser sends as the type of a file, parameters left out (RFC 6838).
ContentType = Annotated[str, Field(pattern=r"^[a-z0-9.+-]+/[a-z0-9.+-]+$", max_length=127, examples=["image/png"])]
# Applications know their collections by these names, so the stack's prefix is not put before them.
CollectionName = Annotated[str, Field(pattern=COLLECTION_NAME, examples=["alfred_documents"])]
# A field, or a field of an object, or of all objects of a list: what needs no quoting in Qdrant's paths.
PayloadField = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_-]+(\[\])?(\.[A-Za-z0-9_-]+(\[\])?)*$", max_length=255, examples=["category"]),
]
IndexType = Literal["keyword", "integer", "float", "bool", "geo", "datetime", "text", "uuid"]
RoleName = Annotated[str, Field(pattern=ROLE_NAME, examples=["authenticated"])]
VolumeName = Annotated[str, Field(pattern=VOLUME_NAME, examples=["uploads-data"])]
SecretName = Annotated[str, Field(pattern=SECRET_NAME, examples=["jwt_secret"])]


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
    """`shared`: a user on the Redis of the stack, who reaches keys and channels with its prefix and nothing else.

    `dedicated`: a Redis of the application's own, for clients that know a password and no name, and keys without a
    prefix. `server` sizes it; a stack can have it otherwise (`strata:redis.dedicated.<application>`).
    """

    mode: Literal["shared", "dedicated"] = Field(default="shared", examples=["shared"])
    prefix: str | None = Field(
        default=None, pattern=r"^[a-z][a-z0-9_-]*(:[a-z0-9_-]+)*:$", max_length=64, examples=["alfred:"]
    )
    server: RedisServer | None = Field(
        default=None, examples=[{"memory": "128Mi", "cpu": 0.5, "storage": "1Gi", "port": 6380}]
    )

    @model_validator(mode="after")
    def _of_one_mode(self) -> "RedisClaim":
        if self.mode == "shared" and (self.prefix is None or self.server is not None):
            raise ValueError("a shared Redis needs a prefix and has no server of its own. Write `prefix: 'myapp:'`")
        if self.mode == "dedicated" and (self.server is None or self.prefix is not None):
            raise ValueError(
                "a dedicated Redis needs its size and has no prefix, since all keys are the application's."
                " Write `server: {memory: 128Mi, cpu: 0.5, storage: 1Gi, port: 6380}`"
            )
        return self


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
    indexes: dict[PayloadField, IndexType] = Field(
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

    Raising `rotation` by one makes new tokens. The one for writing that was before is accepted until the next rotation,
    the one for reading ends. Tokens cannot make or delete collections, so every one that is used is declared.
    """

    collections: dict[CollectionName, CollectionClaim] = Field(
        min_length=1, examples=[{"alfred_documents": {"vector": {"size": 1536}}}]
    )
    rotation: int = Field(default=1, ge=1, examples=[1])


class BucketClaim(Spec):
    """One bucket. S3 cannot limit an upload by bucket: presigned uploads do (`infra.presigned`), and tags say it."""

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


class VolumeClaim(Spec):
    """A named volume for the application's own containers. It is data: the stack makes it and never deletes it."""

    size: Size | None = Field(default=None, examples=["20Gi"], description="Where the platform sizes volumes")
    description: str | None = Field(default=None, min_length=1, examples=["What is in it"])


Labels = Annotated[
    dict[
        Annotated[str, Field(pattern=r"^([a-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$")],
        Annotated[str, Field(pattern=r"^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$")],
    ],
    Field(min_length=1),
]
KubernetesName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]


class NetworkPolicyClaim(Spec):
    """Lets pods of the application reach others of its own at one port; all else in to those pods is refused."""

    pods: Labels = Field(examples=[{"app": "db-storage"}], description="Labels of the pods that are reached")
    callers: Labels = Field(examples=[{"app": "alfred-platform"}], description="Labels of those that may reach them")
    port: int = Field(ge=1, le=65535, examples=[5000])


class KubernetesClaim(Spec):
    """Where the application runs on the platform kubernetes. Only pods with these labels reach its slices."""

    namespace: KubernetesName | None = Field(
        default=None, examples=["alfred-platform"], description="Default: the application's name"
    )
    pods: tuple[Labels, ...] = Field(
        default=(),
        examples=[[{"app": "alfred-platform"}]],
        description="Default: app.kubernetes.io/part-of: the application's name",
    )
    network_policies: dict[KubernetesName, NetworkPolicyClaim] = Field(default_factory=dict)


class SecretClaim(Spec):
    """A secret that the stack generates: letters and digits. Raising `rotation` by one makes another one.

    `keep` is for a key that data is encrypted with: as the data, it outlives the stack, and nothing replaces it.
    """

    length: int = Field(default=64, ge=16, le=256, examples=[64])
    rotation: int = Field(default=1, ge=1, examples=[1])
    keep: bool = Field(default=False, description="The host keeps it when the stack is destroyed")

    @model_validator(mode="after")
    def _kept_is_not_rotated(self) -> "SecretClaim":
        if self.keep and self.rotation != 1:
            raise ValueError("what is kept cannot be rotated, since nothing could read the data again: remove one")
        return self


class TokenClaim(Spec):
    """A JSON Web Token (HS256) that a secret of the application signs.

    It has the written claims and no others: a time of issue would make every `up` a change, and an end would be an
    outage on a day that nobody remembers. It ends when its secret is rotated.
    """

    signed_with: SecretName
    claims: dict[str, str | int | bool] = Field(min_length=1, examples=[{"iss": "supabase", "role": "anon"}])


class Application(Spec):
    """One application's claims (applications/<name>/application.yaml) and the variables of its configuration."""

    name: ApplicationName
    description: str = Field(min_length=1, examples=["What it is, in one line"])
    postgres: PostgresClaim | None = None
    redis: RedisClaim | None = None
    qdrant: QdrantClaim | None = None
    object_store: ObjectStoreClaim | None = None
    volumes: dict[VolumeName, VolumeClaim] = Field(default_factory=dict)
    secrets: dict[SecretName, SecretClaim] = Field(default_factory=dict)
    tokens: dict[SecretName, TokenClaim] = Field(default_factory=dict)
    kubernetes: KubernetesClaim = KubernetesClaim()
    config: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _groups_are_declared(self) -> "Application":
        claim = self.postgres
        missing = set(claim.login.member_of) - set(claim.roles) if claim and claim.login else set()
        if missing:
            raise ValueError(f"login is a member of {', '.join(sorted(missing))}: add it to postgres.roles")
        return self

    @model_validator(mode="after")
    def _tokens_have_a_key(self) -> "Application":
        for name, token in self.tokens.items():
            secret = self.secrets.get(token.signed_with)
            if secret is None:
                raise ValueError(
                    f"tokens.{name} is signed with {token.signed_with}, which is no secret."
                    f" Write `{token.signed_with}: {{}}` under `secrets:`"
                )
            if secret.length < SIGNING_KEY:
                raise ValueError(
                    f"tokens.{name} is signed with {token.signed_with}, which is too short for HS256."
                    f" Write `{token.signed_with}: {{length: {SIGNING_KEY}}}`, or more, under `secrets:`"
                )
        return self

    @property
    def namespace(self) -> str:
        """On the platform kubernetes, before the stack's prefix."""
        return self.kubernetes.namespace or self.name.replace("_", "-")

    @property
    def pods(self) -> tuple[Mapping[str, str], ...]:
        """Labels of its pods there; one of these sets is enough."""
        return self.kubernetes.pods or ({"app.kubernetes.io/part-of": self.name},)

    @property
    def network_policies(self) -> Mapping[str, NetworkPolicyClaim]:
        return self.kubernetes.network_policies

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
