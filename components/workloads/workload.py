"""What differs between backends as workloads; what they have in common is in each platform's backend.py."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from components.quantities import MIB

LOGIN: Final = "login"  # the secret of an `owner`; the server is started with its hash


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What is particular to one backend."""

    backend: str  # postgres, redis, qdrant, object_store: its script, its probe, its image
    name: str  # container and network alias: naming.POSTGRES, …
    owner: str | None = None  # the application that has this server for itself, and its only user
    version: str
    uid: int
    port: int  # inside
    host_port: int
    data_path: str
    arguments: tuple[str, ...]
    memory: int  # bytes
    cpu: float
    stop_signal: str
    stop_timeout: int  # seconds
    secret_files: Mapping[str, str]  # file on the secrets volume -> form, see SecretFileArgs
    tmpfs: Mapping[str, str] = field(default_factory=dict)  # path -> size, e.g. 64m
    env: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)  # secret file -> the key that it is of, kept as the data is
    shm: int = 64 * MIB
    admin_rotation: str | None = None  # another text is another password of the administrator
    # A secret that the server takes at its start, and with which the administrator is made inside of it. `credential`
    # makes what the administrator shows, of a random text and of this secret.
    root: str | None = None
    root_rotation: str | None = None
    credential: Callable[[str, str], str] | None = None
    grpc_port: int | None = None
    host_grpc_port: int | None = None

    @property
    def ports(self) -> dict[str, tuple[int, int]]:
        """The setting of each port → inside, on this host."""
        found = {"port": (self.port, self.host_port)}
        if self.grpc_port is not None and self.host_grpc_port is not None:
            found["grpc_port"] = (self.grpc_port, self.host_grpc_port)
        return found

    @property
    def secrets(self) -> str:
        """The folder of its secrets on this host, which are named `<folder>/admin` and so on."""
        return self.name if self.owner else self.backend

    @property
    def setting(self) -> str:
        """The key of its settings."""
        return f"strata:{self.backend}.dedicated.{self.owner}" if self.owner else f"strata:{self.backend}"
