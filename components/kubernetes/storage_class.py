"""The StorageClass of a stack that declares its own: encrypted volumes of AWS EBS."""

from typing import Final

import pulumi
import pulumi_kubernetes as kubernetes

from components.kubernetes.context import KubernetesContext

PROVISIONER: Final = "ebs.csi.aws.com"


def class_name(stack: str) -> str:
    """Classes are the cluster's, not a namespace's: two stacks must not have one."""
    return f"strata-{stack}-encrypted"


def encrypted_ebs(
    context: KubernetesContext, logical: str, kms_key_id: str | None, opts: pulumi.ResourceOptions
) -> kubernetes.storage.v1.StorageClass:
    """gp3, encrypted with the key, or with the account's own for EBS where none is named. Kept while claims use it."""
    key = {} if kms_key_id is None else {"kmsKeyId": kms_key_id}
    name = class_name(context.naming.stack)
    return kubernetes.storage.v1.StorageClass(
        logical,
        metadata={"name": name, "labels": context.labels(name, "storage")},
        provisioner=PROVISIONER,
        parameters={"type": "gp3", "encrypted": "true", **key},
        reclaim_policy="Retain",
        volume_binding_mode="WaitForFirstConsumer",
        allow_volume_expansion=True,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(retain_on_delete=True)),
    )
