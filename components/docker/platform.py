"""The Docker platform: one daemon, one network, a container per backend."""

from collections.abc import Iterable, Mapping

import pulumi
import pulumi_docker as docker
import pulumi_random as random

from components import naming
from components.claims import VolumeClaim
from components.docker.context import Attachment, DockerContext
from components.docker.object_store import ObjectStore
from components.docker.postgres import Postgres
from components.docker.qdrant import Qdrant
from components.docker.redis import Redis
from components.docker.volumes import Volumes
from components.naming import Naming
from components.platform import Configuration
from components.services import BackendService
from components.slices import DockerPreflight, PreflightArgs, SecretFile, SecretFileArgs
from components.specs import ObjectStoreSpec, PostgresSpec, QdrantSpec, RedisSpec


class DockerPlatform(pulumi.ComponentResource):
    """The network `strata`, the state's id and the first preflight; backends are its children."""

    kind = "docker"
    delivers = False  # `strata up` writes the files on this host
    guarantees = ()  # one host, plain TCP on loopback, disks as the host has them: nothing to promise

    def __init__(
        self,
        name: str,
        names: Naming,
        images: Mapping[str, str],
        host: str | None,
        delete_data: Iterable[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        if host is not None:
            daemon = pulumi.ResourceOptions(providers=[docker.Provider(f"{name}-host", host=host)])
            opts = pulumi.ResourceOptions.merge(opts, daemon)
        super().__init__("strata:docker:Platform", name, None, opts)
        self.naming = names
        child = pulumi.ResourceOptions(parent=self)
        # Lives as long as the state: tells what this state made from what another one left on the same daemon.
        state_id = random.RandomId("state-id", byte_length=8, opts=child)
        self._context = DockerContext(
            naming=names, host=host, state_id=state_id.hex, images=images, delete_data=frozenset(delete_data)
        )
        network = names.physical(naming.NETWORK)
        preflight = DockerPreflight(
            "network-preflight",
            PreflightArgs(stack=names.stack_label, state_id=state_id.hex, networks=[network], docker_host=host),
            opts=child,
        )
        self._attachment = Attachment(
            network=docker.Network(
                "network",
                name=network,
                driver="bridge",
                labels=self._context.labels("network"),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[preflight]),
            ),
            preflight=preflight,
        )
        self.register_outputs({"network": network, "state_id": state_id.hex})

    def postgres(self, spec: PostgresSpec) -> BackendService:
        return Postgres("postgres", spec, self._context, self._attachment, self._inside()).service

    def redis(self, spec: RedisSpec) -> BackendService:
        return Redis("redis", spec, self._context, self._attachment, self._inside()).service

    def dedicated_redis(self, application: str, spec: RedisSpec) -> BackendService:
        name = naming.dedicated_redis(application)
        return Redis(name, spec, self._context, self._attachment, self._inside(), owner=application).service

    def qdrant(self, spec: QdrantSpec) -> BackendService:
        return Qdrant("qdrant", spec, self._context, self._attachment, self._inside()).service

    def object_store(self, spec: ObjectStoreSpec) -> BackendService:
        return ObjectStore("object-store", spec, self._context, self._attachment, self._inside()).service

    def volumes(self, application: str, claims: Mapping[str, VolumeClaim]) -> Mapping[str, str]:
        return Volumes(f"{application}-volumes", claims, self._context, self._attachment, self._inside()).names

    def kept_secret(
        self, logical: str, application: str, secret: str, content: pulumi.Output[str], opts: pulumi.ResourceOptions
    ) -> pulumi.Output[str]:
        file = SecretFileArgs(
            stack=self.naming.stack, secret=f"applications/{application}/{secret}", content=content, keep=True
        )
        return SecretFile(logical, file, opts=opts).value

    def deliver(self, application: str, configuration: pulumi.Output[Configuration]) -> None:
        """Nothing: see `delivers`."""

    def _inside(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)
