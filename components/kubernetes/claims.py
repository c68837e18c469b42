"""Persistent volume claims: those of backends, and those that applications claim for their own pods. All are data."""

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
import pulumi_kubernetes as kubernetes

from components.claims import VolumeClaim
from components.kubernetes.context import KubernetesContext
from components.quantities import format_size
from components.slices import ClaimArgs, KubernetesPreflight, KubernetesPreflightArgs

ENCRYPTED: Final = "strata.encrypted"  # annotation: the class of this claim encrypts, as the stack's settings say
# A claim whose class binds it with its first pod has no pod yet.
NO_WAIT: Final = {"pulumi.com/skipAwait": "true"}


def claim(
    context: KubernetesContext,
    logical: str,
    name: str,
    size: int,
    *,
    namespace: str,
    labels: Mapping[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
) -> kubernetes.core.v1.PersistentVolumeClaim:
    """One claim of `size` bytes, which outlives the stack, unless its data is to go. It grows in place."""
    encrypted = {ENCRYPTED: "true"} if context.storage.encrypted else {}
    keeping = pulumi.ResourceOptions(retain_on_delete=f"{namespace}/{name}" not in context.delete_data)
    return kubernetes.core.v1.PersistentVolumeClaim(
        logical,
        metadata={
            "name": name,
            "namespace": namespace,
            "labels": dict(labels),
            "annotations": {**NO_WAIT, **encrypted},
        },
        spec=claim_spec(context, size),
        opts=pulumi.ResourceOptions.merge(opts, keeping),
    )


def claim_spec(context: KubernetesContext, size: int) -> dict[str, object]:
    """Of a claim of `size` bytes, and of the template that stands for it in a StatefulSet."""
    named = {} if context.storage.name is None else {"storageClassName": context.storage.name}
    return {"accessModes": ["ReadWriteOnce"], **named, "resources": {"requests": {"storage": format_size(size)}}}


def preflight_of(
    context: KubernetesContext,
    logical: str,
    claims: Sequence[ClaimArgs],
    *,
    stateful_sets: Sequence[str] = (),
    namespaces: Sequence[str] = (),
    opts: pulumi.ResourceOptions,
) -> KubernetesPreflight:
    """What is refused in the plan: another stack's namespace, another state's pods, a claim that would shrink."""
    args = KubernetesPreflightArgs(
        stack=context.stack_label,
        state_id=context.state_id,
        namespace=context.namespace,
        namespaces=list(namespaces),
        stateful_sets=list(stateful_sets),
        claims=list(claims),
        storage_class=context.storage.name,
        declared=context.storage.declared,
        context=context.context,
    )
    return KubernetesPreflight(logical, args, opts=opts)


class Volumes(pulumi.ComponentResource):
    """The claims of one application, in its own namespace; `names` are the same as the logical ones."""

    def __init__(
        self,
        name: str,
        claims: Mapping[str, VolumeClaim],
        context: KubernetesContext,
        namespace: str,
        made_in: pulumi.Resource,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("strata:kubernetes:Volumes", name, None, opts)
        self.names = {logical: logical for logical in claims}
        preflight = preflight_of(
            context,
            f"{name}-preflight",
            [
                ClaimArgs(
                    namespace=namespace,
                    name=logical,
                    size=volume.size or 0,
                    setting=f"volumes.{logical}.size of the application",
                )
                for logical, volume in claims.items()
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        for logical, volume in claims.items():
            assert volume.size is not None  # infra.conflicts refuses one without
            claim(
                context,
                f"{name}-{logical}",
                logical,
                volume.size,
                namespace=namespace,
                labels=context.labels(logical, "volume"),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[preflight, made_in]),
            )
        self.register_outputs({"names": self.names})
