"""The Kubernetes platform: one namespace for backends, one for each application, a StatefulSet per backend."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_random as random

from components.claims import Application, VolumeClaim
from components.kubernetes import claims, namespaces, network
from components.kubernetes.backend import Surroundings
from components.kubernetes.certificates import Authority, Lifetime
from components.kubernetes.context import KubernetesContext, Storage
from components.kubernetes.delivery import Delivery
from components.kubernetes.network import Peer
from components.kubernetes.object_store import ObjectStore
from components.kubernetes.postgres import Postgres
from components.kubernetes.qdrant import Qdrant
from components.kubernetes.redis import Redis
from components.kubernetes.storage_class import encrypted_ebs
from components.naming import Naming, dedicated_redis
from components.platform import Configuration
from components.services import BackendService
from components.slices import KeptSecret, KeptSecretArgs
from components.specs import ObjectStoreSpec, PostgresSpec, QdrantSpec, RedisSpec


@dataclass(frozen=True, kw_only=True)
class KubernetesArgs:
    """What the settings say of the platform."""

    naming: Naming
    namespace: str
    context: str | None
    images: Mapping[str, str]
    guarantees: tuple[str, ...]
    storage: Storage
    kms_key_id: str | None = None  # of a class that the stack declares
    metrics: Peer | None = None  # who reads the backends' metrics
    lifetime: Lifetime = field(default_factory=Lifetime)
    delete_data: Iterable[str] = ()


class KubernetesPlatform(pulumi.ComponentResource):
    """Namespaces, network policies, the authority of the certificates; backends are its children."""

    kind = "kubernetes"
    delivers = True

    def __init__(
        self,
        name: str,
        args: KubernetesArgs,
        applications: Sequence[Application],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        # Secrets and ConfigMaps keep their names, so that pods which are started meanwhile find them.
        provider = kubernetes.Provider(
            f"{name}-cluster", context=args.context, enable_secret_mutable=True, enable_config_map_mutable=True
        )
        opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(providers=[provider]))
        super().__init__("strata:kubernetes:Platform", name, None, opts)
        self.guarantees, self.naming, self._metrics = args.guarantees, args.naming, args.metrics
        self._applications = {application.name: application for application in applications}
        child = pulumi.ResourceOptions(parent=self)
        # Lives as long as the state: tells what this state made from what another one left in the same cluster.
        state_id = random.RandomId("state-id", byte_length=8, opts=child)
        self._context = KubernetesContext(
            naming=args.naming,
            context=args.context,
            namespace=args.namespace,
            state_id=state_id.hex,
            images=args.images,
            storage=args.storage,
            delete_data=frozenset(args.delete_data),
        )
        wanted = {application.name: self._namespace_of(application.name) for application in applications}
        preflight = claims.preflight_of(
            self._context, "preflight", [], namespaces=[args.namespace, *wanted.values()], opts=child
        )
        after = pulumi.ResourceOptions(parent=self, depends_on=[preflight])
        own = namespaces.namespace(self._context, "namespace", args.namespace, namespaces.BACKENDS, after)
        self._namespaces = {
            application: namespaces.namespace(
                self._context, f"{application}-namespace", physical, namespaces.APPLICATIONS, after
            )
            for application, physical in wanted.items()
        }
        inside = pulumi.ResourceOptions(parent=self, depends_on=[own])
        network.default_deny(self._context, "default-deny", inside)
        network.dns(self._context, "allow-dns", inside)
        for application in applications:
            self._policies(application)
        before: list[pulumi.Resource] = [own]
        if args.storage.declared:
            before.append(encrypted_ebs(self._context, "storage-class", args.kms_key_id, after))
        self._own, self._before = own, before
        self._authority = Authority("authority", self._context, args.lifetime, opts=child)
        self.register_outputs({"namespace": args.namespace, "state_id": state_id.hex})

    def postgres(self, spec: PostgresSpec) -> BackendService:
        users = [application for application in self._applications.values() if application.postgres]
        return Postgres("postgres", spec, self._context, self._for(users), self._inside()).service

    def redis(self, spec: RedisSpec) -> BackendService:
        users = [each for each in self._applications.values() if each.redis and each.redis.server is None]
        return Redis("redis", spec, self._context, self._for(users), self._inside()).service

    def dedicated_redis(self, application: str, spec: RedisSpec) -> BackendService:
        surroundings = self._for([self._applications[application]])
        name = dedicated_redis(application)
        return Redis(name, spec, self._context, surroundings, self._inside(), owner=application).service

    def qdrant(self, spec: QdrantSpec) -> BackendService:
        users = [application for application in self._applications.values() if application.qdrant]
        return Qdrant("qdrant", spec, self._context, self._for(users), self._inside()).service

    def object_store(self, spec: ObjectStoreSpec) -> BackendService:
        users = [application for application in self._applications.values() if application.object_store]
        return ObjectStore("object-store", spec, self._context, self._for(users), self._inside()).service

    def volumes(self, application: str, claims: Mapping[str, VolumeClaim]) -> Mapping[str, str]:
        from components.kubernetes.claims import Volumes

        return Volumes(
            f"{application}-volumes",
            claims,
            self._context,
            self._namespace_of(application),
            self._namespaces[application],
            self._inside(),
        ).names

    def kept_secret(
        self, logical: str, application: str, secret: str, content: pulumi.Output[str], opts: pulumi.ResourceOptions
    ) -> pulumi.Output[str]:
        namespace = self._namespace_of(application)
        args = KeptSecretArgs(
            namespace=namespace,
            name=f"{application}-{secret}".replace("_", "-"),
            key=secret,
            content=content,
            labels=self._context.labels(application, "key"),
            context=self._context.context,
        )
        after = pulumi.ResourceOptions(depends_on=[self._namespaces[application]])
        return KeptSecret(logical, args, opts=pulumi.ResourceOptions.merge(opts, after)).value

    def deliver(self, application: str, configuration: pulumi.Output[Configuration]) -> None:
        Delivery(
            f"{application}-delivery",
            application,
            self._context,
            self._namespace_of(application),
            self._applications[application].pods,
            configuration,
            pulumi.ResourceOptions(parent=self, depends_on=[self._namespaces[application]]),
        )

    def _namespace_of(self, application: str) -> str:
        return self.naming.physical(self._applications[application].namespace)

    def _peers(self, application: Application) -> list[Peer]:
        namespace = self._namespace_of(application.name)
        return [Peer(namespace=namespace, labels=labels) for labels in application.pods]

    def _for(self, applications: Iterable[Application]) -> Surroundings:
        return Surroundings(
            before=self._before,
            authority=self._authority,
            claimants=[peer for application in applications for peer in self._peers(application)],
            metrics=self._metrics,
        )

    def _policies(self, application: Application) -> None:
        for name, claim in application.network_policies.items():
            network.between_pods(
                self._context,
                f"{application.name}-{name}",
                name,
                claim,
                self._namespace_of(application.name),
                pulumi.ResourceOptions(parent=self, depends_on=[self._namespaces[application.name]]),
            )

    def _inside(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)
