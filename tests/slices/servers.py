"""Real servers: the local images with the real start scripts, as hardened as the components run them."""

import secrets
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import docker
import redis
import urllib3
from docker.models.containers import Container
from minio import Minio
from qdrant_client import QdrantClient
from redis.backoff import NoBackoff
from redis.retry import Retry

import images
from components import scripts
from components.slices.qdrant.logins import admin_token
from components.slices.ready import ReadyProvider
from components.slices.resource import Props
from components.slices.secret_file import SecretFileProvider

LABEL: Final = "strata.test-slices"
STACK: Final = "slices-test"


@dataclass(frozen=True)
class Kind:
    """What differs between the backends."""

    name: str
    version: str
    port: int
    data: str
    files: dict[str, str]
    tmpfs: tuple[str, ...]
    stop_signal: str
    arguments: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    memory: str = "256m"
    uid: int = 999
    key_files: tuple[str, ...] = ()
    root: str | None = None  # the secret that `files` are of, where `Ready` makes the administrator with it
    credential: Callable[[str, str], str] | None = None  # makes the administrator's of a random text and of root's


POSTGRES: Final = Kind(
    name="postgres",
    version="17",
    port=5432,
    data="/var/lib/postgresql/data",
    files={"verifier": "scram-verifier", "admin": "plain"},
    tmpfs=("/tmp", "/var/run/postgresql", "/run/strata/run"),
    stop_signal="SIGINT",
    arguments=("-c", "shared_buffers=32MB", "-c", "log_statement=all"),
    environment={"PGDATA": "/var/lib/postgresql/data/pgdata"},
)
REDIS: Final = Kind(
    name="redis",
    version="8",
    port=6379,
    data="/data",
    files={"admin": "plain", "admin.sha256": "sha256"},
    tmpfs=("/tmp",),
    stop_signal="SIGTERM",
    arguments=("--appendonly", "yes", "--save", "", "--protected-mode", "no"),
)
OBJECT_STORE: Final = Kind(
    name="object_store",
    version="2026",
    port=9000,
    data="/data",
    files={"root": "plain", "encryption-key": "kms-key"},
    tmpfs=("/tmp",),
    stop_signal="SIGTERM",
    arguments=("--address", ":9000"),
    memory="512m",
    environment={"GOMEMLIMIT": "460MiB"},
    uid=1000,
    key_files=("encryption-key",),
    root="root",
)
QDRANT: Final = Kind(
    name="qdrant",
    version="1",
    port=6333,
    data="/qdrant/storage",
    files={"api-key": "plain"},
    tmpfs=("/tmp",),
    stop_signal="SIGTERM",
    arguments=(),
    memory="512m",
    environment={
        "QDRANT__SERVICE__JWT_RBAC": "true",
        "QDRANT__STORAGE__SNAPSHOTS_PATH": "/qdrant/storage/snapshots",
        "QDRANT__STORAGE__TEMP_PATH": "/qdrant/storage/temp",
        "QDRANT_INIT_FILE_PATH": "/tmp/.qdrant-initialized",
    },
    uid=1000,
    root="api-key",
    credential=admin_token,
)


class Server:
    """One backend on volumes of its own. The container comes and goes; the volumes stay until `remove`."""

    def __init__(self, client: docker.DockerClient, kind: Kind) -> None:
        self.kind, self.client = kind, client
        self.name = f"slices-{kind.name}-{secrets.token_hex(4)}"
        self.image = images.local_name(kind.name, kind.version)
        self.password = self.root = ""
        self.port = 0
        self.data = self._volume("data")
        self.secrets = self._volume("secrets")
        self.container: Container | None = None
        self.ca: str | None = None  # of its certificate, if it was given one (tests.slices.tls_files)

    def start(self, password: str | None = None, root: str | None = None) -> "Server":
        """Write the secrets and start a new container; `ready` waits for it."""
        self.password, self.root = password or secrets.token_hex(16), root or secrets.token_hex(16)
        if self.kind.key_files:
            key = {"secret": f"{self.name}/encryption", "content": secrets.token_hex(16), "keep": True}
            SecretFileProvider().create({"stack": STACK, **key})
        if self.kind.root:
            SecretFileProvider().create(self.secret_props())
        self.rotate(self.password)
        uid = self.kind.uid
        self.container = self.client.containers.run(
            self.image,
            list(self.kind.arguments),
            name=self.name,
            entrypoint=["sh", "-c", scripts.read(self.kind.name), "strata"],
            detach=True,
            labels={LABEL: "1"},
            user=f"{uid}:{uid}",
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true"],
            environment=self.kind.environment,
            stop_signal=self.kind.stop_signal,
            mem_limit=self.kind.memory,
            tmpfs=dict.fromkeys(self.kind.tmpfs, f"rw,noexec,nosuid,nodev,size=64m,uid={uid},gid={uid},mode=0750"),
            volumes={
                self.data: {"bind": self.kind.data, "mode": "rw"},
                self.secrets: {"bind": "/run/strata/secrets", "mode": "ro"},
            },
            ports={f"{self.kind.port}/tcp": ("127.0.0.1", 0)},
        )
        return self.look()

    def rotate(self, password: str) -> None:
        """Write another password of the administrator, as `up` does; a running server learns it by `ready`."""
        self.password = password
        content = self.kind.credential(password, self.root) if self.kind.credential else password
        alone = {"stack": STACK, "secret": self.secret, "content": content}
        SecretFileProvider().create(alone if self.kind.root else self.secret_props())

    def look(self) -> "Server":
        """Learn the host's port: Docker gives a container another one at each start."""
        container = self.running
        container.reload()
        published = container.attrs["NetworkSettings"]["Ports"].get(f"{self.kind.port}/tcp") or []
        self.port = int(published[0]["HostPort"]) if published else 0
        return self

    def ready(self) -> "Server":
        ReadyProvider().create(self.ready_props(deadline=60))
        return self

    def stop(self) -> None:
        """A clean stop, then the container is gone."""
        self.running.stop(timeout=30)
        self.drop()

    def drop(self) -> None:
        self.running.remove(force=True)
        self.container = None

    def kill(self) -> None:
        """SIGKILL to PID 1, as a crash does it; the container stays, stopped."""
        self.running.kill("SIGKILL")
        self.running.wait(timeout=30)

    def run(self, *command: str) -> str:
        """The output of a command in the container."""
        code, output = self.running.exec_run(list(command))
        assert isinstance(output, bytes)
        assert code == 0, f"{command}: exit {code}: {output.decode()}"
        return output.decode()

    def log(self) -> str:
        text = self.running.logs()
        assert isinstance(text, bytes)
        return text.decode()

    @property
    def running(self) -> Container:
        assert self.container is not None, f"{self.name} is not started"
        return self.container

    @property
    def secret(self) -> str:
        """The name of the administrator's."""
        return f"{self.name}/admin"

    def admin(self) -> Props:
        verified = {"ca": self.ca} if self.ca else {}
        return {"stack": STACK, "secret": self.secret, "host": "127.0.0.1", "port": float(self.port), **verified}

    def props(self, **more: Any) -> Props:
        """A slice's properties as a provider receives them."""
        return {"admin": self.admin(), "identity": "of-this-server", **more}

    def secret_props(self, **more: Any) -> Props:
        """The secret whose files the container is started with."""
        root = self.kind.root
        return {
            "stack": STACK,
            "secret": f"{self.name}/{root}" if root else self.secret,
            "content": self.root if root else self.password,
            "keep_previous": root is None,
            "image": self.image,
            "volume": self.secrets,
            "files": self.kind.files,
            "of": dict.fromkeys(self.kind.key_files, f"{self.name}/encryption"),
            "uid": float(self.kind.uid),
            "gid": float(self.kind.uid),
            "labels": {LABEL: "1"},
            **more,
        }

    def ready_props(self, **more: Any) -> Props:
        identifiers = {"container": self.name, "container_id": self.running.id, "credential": "of-this-server"}
        root = {"root": f"{self.name}/{self.kind.root}"} if self.kind.root else {}
        return {"backend": self.kind.name, "admin": self.admin(), "deadline": 10.0, **identifiers, **root, **more}

    def remove(self) -> None:
        for container in self.client.containers.list(all=True, filters={"name": self.name}):
            container.remove(force=True)
        for volume in (self.data, self.secrets):
            self.client.volumes.get(volume).remove(force=True)

    def _volume(self, suffix: str) -> str:
        return str(self.client.volumes.create(f"{self.name}-{suffix}", labels={LABEL: "1"}).name)


@contextmanager
def server(client: docker.DockerClient, kind: Kind) -> Iterator[Server]:
    made = Server(client, kind)
    try:
        yield made
    finally:
        made.remove()


def redis_session(server: Server, username: str | None = None, password: str | None = None) -> redis.Redis:
    """One connection that neither retries nor hides that it was ended."""
    return redis.Redis(
        port=server.port,
        username=username,
        password=password,
        decode_responses=True,
        single_connection_client=True,
        retry=Retry(NoBackoff(), 0),
    )


def s3_session(server: Server, access_key: str | None = None, secret_key: str | None = None) -> Minio:
    """A client that neither asks for a region nor tries again; without a key it is nobody's."""
    pool = urllib3.PoolManager(timeout=10, retries=False)
    where = f"127.0.0.1:{server.port}"
    return Minio(where, access_key, secret_key, secure=False, region="us-east-1", http_client=pool)


def qdrant_session(server: Server, key: str | None) -> QdrantClient:
    """A client over REST with an API key, a token, or none; a refusal is an UnexpectedResponse with its status."""
    with warnings.catch_warnings():
        # The port is open to this machine only.
        warnings.filterwarnings("ignore", message="Api key is used with an insecure connection")
        return QdrantClient(
            url=f"http://127.0.0.1:{server.port}", api_key=key, check_compatibility=False, timeout=10, verify=False
        )


def eventually(check: Callable[[], Any], *, within: float = 15) -> Any:
    """The first true answer of `check`; after `within` seconds its last answer is reported."""
    end = time.monotonic() + within
    while not (answer := check()):
        assert time.monotonic() < end, f"still {answer!r} after {within} s"
        time.sleep(0.05)
    return answer
