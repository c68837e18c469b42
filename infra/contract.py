"""The contract: what a stack tells its consumers, the same from every platform and every engine.

Exporter, smoke tests and applications use these models; nothing else spells an output's key. The JSON Schema for
consumers in other languages is docs/contract.schema.json (`strata contract --schema`). Changes within a version only
add; a reader therefore ignores keys that it does not know. Anything else raises CONTRACT_VERSION.
"""

import json
from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from infra.choices import ViewName

CONTRACT_VERSION: Final = 1

# The one secret output. Everything else is public: a single secret leaf would hide a whole output from StackReferences.
CREDENTIALS: Final = "credentials"

BackendName = Literal["postgres", "redis", "qdrant", "object_store"]
BACKENDS: Final[tuple[BackendName, ...]] = get_args(BackendName)
Port = Annotated[int, Field(ge=1, le=65535)]


class Part(BaseModel):
    """Base of everything in the contract."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Direct(Part):
    """A plain TCP connection to the view's host and port."""

    kind: Literal["direct"] = "direct"


class PortForward(Part):
    """Through the API of a cluster, as `kubectl port-forward` does; `strata forward` holds it at the view's ports."""

    kind: Literal["port-forward"]
    context: str | None = Field(default=None, description="Of the kubeconfig; null is its current one")
    namespace: str
    service: str
    port: Port
    grpc_port: Port | None = None


Access = Annotated[Direct | PortForward, Field(discriminator="kind")]


class View(Part):
    """Where a backend is seen from one place."""

    host: str = Field(min_length=1)
    port: Port
    grpc_port: Port | None = Field(default=None, description="Where the backend speaks gRPC, too")
    tls: bool
    access: Access = Direct()


class DockerRuntime(Part):
    """The container behind a backend, for checks that restart or kill it. Applications must not use it."""

    kind: Literal["docker"]
    container: str
    docker_host: str | None = Field(default=None, description="Address of the Docker daemon; null is the default one")


class KubernetesRuntime(Part):
    """The pod behind a backend, for the same."""

    kind: Literal["kubernetes"]
    context: str | None = Field(default=None, description="Of the kubeconfig; null is its current one")
    namespace: str
    stateful_set: str
    pod: str
    container: str


class Backend(Part):
    """One backend: its views, and facts about the server."""

    version: str = Field(description="What the server itself reports", examples=["17.6"])
    views: dict[ViewName, View] = Field(min_length=1)
    runtime: Annotated[DockerRuntime | KubernetesRuntime, Field(discriminator="kind")] | None = None
    ca: str | None = Field(default=None, description="PEM of the authority that its certificate is verified with")


class Backends(Part):
    """The backends of the stack; an absent one is not part of it."""

    postgres: Backend | None = None
    redis: Backend | None = None
    qdrant: Backend | None = None
    object_store: Backend | None = None


class SecretRef(Part):
    """Where a login's password, a secret or a token is: `name` is the stack output, `keys` the path inside it."""

    kind: Literal["stack_output"] = "stack_output"
    name: str = CREDENTIALS
    keys: tuple[str, ...]


class Login(Part):
    """A name to log in with, and where its password is."""

    username: str
    secret_ref: SecretRef


class PostgresSlice(Login):
    """A database of the application's own; `username` reads and writes, `readonly` only reads."""

    database: str
    schema_version: str | None = Field(default=None, description="The last migration", examples=["0002_policies"])
    readonly: Login | None = None


class RedisSlice(Login):
    """The keys and channels that begin with `prefix`, on database `db`. SELECT is refused on a shared server.

    `server` is a Redis of the application's own, where it has one: its `prefix` is empty and all keys are the
    application's. `username` is then `default`, so that a password alone is enough.
    """

    prefix: str
    db: Literal[0] = 0
    server: Backend | None = Field(default=None, description="Absent: backends.redis")


class Vector(Part):
    """One vector of every point; neither number nor word ever changes."""

    size: int = Field(ge=1, description="Number of dimensions", examples=[1536])
    distance: Literal["Cosine", "Dot", "Euclid", "Manhattan"]


class Collection(Part):
    """One collection: `size` and `distance` of its unnamed vector, or `vectors` by name."""

    name: str = Field(description="For requests", examples=["alfred_documents"])
    size: int | None = Field(default=None, ge=1, examples=[1536])
    distance: Literal["Cosine", "Dot", "Euclid", "Manhattan"] | None = None
    vectors: dict[str, Vector] = Field(default_factory=dict)


class QdrantSlice(Login):
    """Collections by name. The password is a token (JWT), to be given as the API key; `username` only names it.

    It makes and deletes no collections. `previous` is the token before it, as with the object store's keys.
    """

    collections: dict[str, Collection]
    readonly: Login | None = None
    previous: Login | None = None


class Bucket(Part):
    """One bucket. The limits hold for presigned uploads and stand on the bucket as tags; S3 knows no others."""

    name: str = Field(description="The physical name, for requests", examples=["alfred-user-uploads"])
    public: bool = Field(description="Anybody may read objects whose names they know")
    max_size: int | None = Field(default=None, description="Largest upload, in bytes", examples=[5242880])
    content_types: tuple[str, ...] = Field(default=(), description="Of uploads; none means any")


class ObjectStoreSlice(Login):
    """Buckets by their logical names. `username` is the access key; the password is the secret key.

    `previous` is the key before it: accepted until the next rotation, for what runs with an older configuration.
    """

    buckets: dict[str, Bucket]
    region: str
    path_style: bool = Field(description="Buckets stand in the path of a URL, not before its host name")
    previous: Login | None = None


class Volume(Part):
    """A named volume for the application's own containers. It stays when the stack is destroyed."""

    name: str = Field(description="The physical name, which containers mount", examples=["db-storage-data"])
    size: int | None = Field(default=None, description="Bytes asked for; Docker's volumes have no limit of their own")
    description: str | None = Field(default=None, description="What is in it, in the application's words")


class Secret(Part):
    """A generated secret of the application's own."""

    secret_ref: SecretRef


class Token(Secret):
    """A JSON Web Token (HS256) with these claims and no others."""

    claims: dict[str, str | int | bool]


class ApplicationSlices(Part):
    """What one application owns: per backend, and what no backend knows (volumes, secrets, tokens)."""

    postgres: PostgresSlice | None = None
    redis: RedisSlice | None = None
    qdrant: QdrantSlice | None = None
    object_store: ObjectStoreSlice | None = None
    volumes: dict[str, Volume] | None = None
    secrets: dict[str, Secret] | None = None
    tokens: dict[str, Token] | None = None


class Credential(Part):
    username: str
    password: SecretStr


class PostgresCredential(Credential):
    readonly: Credential | None = None


class QdrantCredential(Credential):
    readonly: Credential | None = None
    previous: Credential | None = None


class ObjectStoreCredential(Credential):
    previous: Credential | None = None


class ApplicationCredentials(Part):
    postgres: PostgresCredential | None = None
    redis: Credential | None = None
    qdrant: QdrantCredential | None = None
    object_store: ObjectStoreCredential | None = None
    secrets: dict[str, SecretStr] | None = None
    tokens: dict[str, SecretStr] | None = None


class StackContract(Part):
    """All outputs of a stack. `credentials` is the one secret output and empty where the reader may not see it."""

    contract_version: Literal[1]
    platform: Literal["docker", "kubernetes"] = Field(description="A label: applications must not branch on it")
    stage: Literal["development", "test", "production"]
    guarantees: tuple[str, ...] = Field(description="Properties the platform promises", examples=[["tls"]])
    backends: Backends
    applications: dict[str, ApplicationSlices]
    credentials: dict[str, ApplicationCredentials] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _slices_have_a_backend(self) -> "StackContract":
        for name, slices in self.applications.items():
            for backend in BACKENDS:
                if getattr(slices, backend) is not None and self.server(name, backend) is None:
                    raise ValueError(f"applications.{name}.{backend} has no backends.{backend}")
        return self

    def server(self, application: str, backend: BackendName) -> Backend | None:
        """The server that an application's slice is on: its own, or the one of the stack."""
        slice_ = getattr(self.applications[application], backend, None)
        own: Backend | None = getattr(slice_, "server", None)
        shared: Backend | None = getattr(self.backends, backend)
        return own or shared

    @property
    def servers(self) -> dict[str, Backend]:
        """Every server of the stack; one that an application has for itself is named `<backend>-<application>`."""
        shared = {name: getattr(self.backends, name) for name in BACKENDS}
        found: dict[str, Backend] = {name: backend for name, backend in shared.items() if backend is not None}
        for name, slices in self.applications.items():
            if slices.redis is not None and slices.redis.server is not None:
                found[f"redis-{name}"] = slices.redis.server
        return found


def schema_text() -> str:
    """The JSON Schema of the contract, as docs/contract.schema.json holds it."""
    schema = StackContract.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=2) + "\n"
