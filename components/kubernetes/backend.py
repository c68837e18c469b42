"""One backend as a StatefulSet of one pod: secrets, scripts, claim, Services, pod, budget, policy, readiness.

One pod, since none of the four is made for more without another kind of deployment (a consensus, a sentinel, more
drives): what protects is a restart within seconds on kept data, and backups.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import pulumi
import pulumi_kubernetes as kubernetes

from components import scripts
from components.kubernetes import claims, network, pod
from components.kubernetes.certificates import Authority
from components.kubernetes.context import KubernetesContext, checksum
from components.kubernetes.network import Peer
from components.kubernetes.secrets import Secrets
from components.services import BackendService, KubernetesRuntime, PortForward, View
from components.slices import AdminRef, ClaimArgs, ClusterRef, Ready, ReadyArgs
from components.workloads.workload import Workload

REVISIONS: Final = 5
LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a backend is put into: what must exist before, the authority, and who may talk to it."""

    before: Sequence[pulumi.Resource]
    authority: Authority
    claimants: Sequence[Peer] = field(default=())
    metrics: Peer | None = None


class Backend(pulumi.ComponentResource):
    """Everything of one backend in the namespace of the stack."""

    def __init__(
        self,
        kind: str,
        name: str,
        context: KubernetesContext,
        surroundings: Surroundings,
        workload: Workload,
        storage: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(f"strata:kubernetes:{kind}", name, None, opts)
        self._context, self._workload, self._name = context, workload, name
        self._component = pod.component(workload)
        self._ca = surroundings.authority.ca
        certificate = surroundings.authority.certificate(workload.name, pulumi.ResourceOptions(parent=self))

        preflight = claims.preflight_of(
            context,
            f"{name}-preflight",
            [
                ClaimArgs(
                    namespace=context.namespace,
                    name=self._claim,
                    size=storage,
                    setting=f"{workload.setting}.storage",
                )
            ],
            stateful_sets=[workload.name],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._child = pulumi.ResourceOptions(parent=self, depends_on=[*surroundings.before, preflight])
        self._secrets = Secrets(context, workload, name, certificate, self._child)
        start = scripts.read(workload.backend)
        files = self._secrets.secret(
            f"{name}-secrets", pod.secrets_name(workload), self._secrets.files, self._component
        )
        admin = self._secrets.secret(
            f"{name}-admin-secret", self._admin_name, self._secrets.administrator, self._component
        )
        script = kubernetes.core.v1.ConfigMap(
            f"{name}-scripts",
            metadata=self._metadata(pod.scripts_name(workload)),
            data={"start.sh": start},
            opts=self._child,
        )
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-account",
            metadata=self._metadata(workload.name),
            automount_service_account_token=False,
            opts=self._child,
        )
        data = claims.claim(
            context,
            f"{name}-data",
            self._claim,
            storage,
            namespace=context.namespace,
            labels=context.labels(workload.name, self._component),
            opts=self._child,
        )
        policy = network.to_backend(context, workload, surroundings.claimants, surroundings.metrics, self._child)
        headless = self._service(f"{name}-pods", f"{workload.name}-pods", headless=True)
        self._service(f"{name}-service", workload.name)
        texts = [text for _, text in sorted(self._secrets.files.items())]
        self._checksum = checksum(start, *texts)
        self._set = self._stateful_set(headless, storage, [files, script, account, data, policy])
        kubernetes.policy.v1.PodDisruptionBudget(
            f"{name}-budget",
            metadata=self._metadata(workload.name),
            # Of one pod: a drain may move it, and nothing ends it while it is not ready elsewhere.
            spec={"maxUnavailable": 1, "selector": {"matchLabels": context.selector(workload.name)}},
            opts=self._child,
        )
        self._ready = self._readiness(admin)
        self.register_outputs(
            {"stateful_set": workload.name, "image": context.images[workload.backend], "version": self._ready.version}
        )

    @property
    def service(self) -> BackendService:
        """The backend, as consumers see it."""
        work, context = self._workload, self._context
        forward = PortForward(
            namespace=context.namespace,
            service=work.name,
            port=work.port,
            grpc_port=work.grpc_port,
            context=context.context,
        )
        host = View(host=LOOPBACK, port=work.host_port, grpc_port=work.host_grpc_port, tls=True, access=forward)
        inside = View(host=self._host, port=work.port, grpc_port=work.grpc_port, tls=True)
        return BackendService(
            views={"host": host, "cluster": inside},
            admin=self._admin,
            identity=self._ready.identity,
            version=self._ready.version,
            resource=self._set,
            ready=self._ready,
            runtime=KubernetesRuntime(
                kind="kubernetes",
                namespace=context.namespace,
                stateful_set=work.name,
                pod=f"{work.name}-0",
                container=pod.SERVER,
                context=context.context,
            ),
            signing_key=self._secrets.root,
            password=self._secrets.login,
            ca=self._ca,
        )

    @property
    def _claim(self) -> str:
        return f"{pod.DATA}-{self._workload.name}-0"

    @property
    def _host(self) -> str:
        return f"{self._workload.name}.{self._context.namespace}.svc"

    @property
    def _admin_name(self) -> str:
        return f"{self._workload.name}-admin"

    @property
    def _admin(self) -> AdminRef:
        work = self._workload
        return AdminRef(
            stack=self._context.naming.stack,
            secret=f"{work.secrets}/admin",
            host=self._host,
            port=work.port,
            cluster=self._cluster,
            ca=self._ca,
        )

    @property
    def _cluster(self) -> ClusterRef:
        return ClusterRef(
            namespace=self._context.namespace,
            stateful_set=self._workload.name,
            service=self._workload.name,
            secret=self._admin_name,
            context=self._context.context,
        )

    def _metadata(self, physical: str) -> dict[str, object]:
        return {**self._context.metadata(self._workload.name, self._component), "name": physical}

    def _service(self, logical: str, physical: str, *, headless: bool = False) -> kubernetes.core.v1.Service:
        work = self._workload
        ports = {"server": work.port, **({"grpc": work.grpc_port} if work.grpc_port else {})}
        own = {"clusterIP": "None", "publishNotReadyAddresses": True} if headless else {"type": "ClusterIP"}
        return kubernetes.core.v1.Service(
            logical,
            # The official provider would wait until the Service has pods, which come after it.
            metadata={**self._metadata(physical), "annotations": {"pulumi.com/skipAwait": "true"}},
            spec={
                **own,
                "selector": self._context.selector(work.name),
                "ports": [{"name": name, "port": port, "targetPort": name} for name, port in ports.items()],
            },
            opts=self._child,
        )

    def _stateful_set(
        self, headless: kubernetes.core.v1.Service, storage: int, after: list[pulumi.Resource]
    ) -> kubernetes.apps.v1.StatefulSet:
        context, work = self._context, self._workload
        return kubernetes.apps.v1.StatefulSet(
            f"{self._name}-set",
            metadata=self._metadata(work.name),
            spec={
                "serviceName": headless.metadata["name"],
                "replicas": 1,
                # Of one pod: a pod that never gets ready must not keep its own repair out.
                "podManagementPolicy": "Parallel",
                "revisionHistoryLimit": REVISIONS,
                "selector": {"matchLabels": context.selector(work.name)},
                "template": pod.template(context, work, context.images[work.backend], self._checksum),
                # The claim is a resource of its own, which this adopts by its name: so a change of its size is one of
                # the claim, where a template can't change.
                "volumeClaimTemplates": [{"metadata": {"name": pod.DATA}, "spec": claims.claim_spec(context, storage)}],
                "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
            },
            opts=pulumi.ResourceOptions.merge(
                self._child,
                pulumi.ResourceOptions(depends_on=after, ignore_changes=["spec.volumeClaimTemplates"]),
            ),
        )

    def _readiness(self, admin: pulumi.Resource) -> Ready:
        work = self._workload
        return Ready(
            f"{self._name}-ready",
            ReadyArgs(
                backend=work.backend,
                admin=self._admin,
                root=f"{work.secrets}/{work.root}" if work.root else None,
                container=f"{work.name}-0",
                container_id=self._checksum,
                credential=checksum(self._secrets.admin),
            ),
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=[self._set, admin])),
        )
