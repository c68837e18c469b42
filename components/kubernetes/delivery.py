"""What an application is given in its own namespace: its configuration as a Secret and a ConfigMap."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
import pulumi_kubernetes as kubernetes

from components.kubernetes.context import KubernetesContext
from components.platform import Configuration
from components.slices import Rollout, RolloutArgs

CHECKSUM: Final = "strata.checksum"


class Delivery(pulumi.ComponentResource):
    """ConfigMap and Secret `<application>-storage` for `envFrom`, Secret `<application>-storage-files` for a mount.

    Workloads of the application, which are told by the labels of their pods, are rolled out when any of it changes.
    """

    def __init__(
        self,
        name: str,
        application: str,
        context: KubernetesContext,
        namespace: str,
        pods: Sequence[Mapping[str, str]],
        configuration: pulumi.Output[Configuration],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("strata:kubernetes:Delivery", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        physical = f"{application.replace('_', '-')}-storage"
        checksum = pulumi.Output.unsecret(configuration.apply(lambda made: made.checksum))

        def metadata(name: str) -> dict[str, Any]:
            labels = context.labels(name, "configuration")
            return {"name": name, "namespace": namespace, "labels": labels, "annotations": {CHECKSUM: checksum}}

        variables = kubernetes.core.v1.Secret(
            f"{name}-secret",
            metadata=metadata(physical),
            type="Opaque",
            string_data=configuration.apply(lambda made: dict(made.secrets)),
            opts=child,
        )
        plain = kubernetes.core.v1.ConfigMap(
            f"{name}-config",
            metadata=metadata(physical),
            data=pulumi.Output.unsecret(configuration.apply(lambda made: dict(made.variables))),
            opts=child,
        )
        files = kubernetes.core.v1.Secret(
            f"{name}-files",
            metadata=metadata(f"{physical}-files"),
            type="Opaque",
            string_data=configuration.apply(lambda made: dict(made.files)),
            opts=child,
        )
        Rollout(
            f"{name}-rollout",
            RolloutArgs(namespace=namespace, pods=list(pods), checksum=checksum, context=context.context),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[variables, plain, files]),
        )
        self.register_outputs({"secret": physical, "config_map": physical, "files": f"{physical}-files"})
