"""The namespaces of a stack: one for its backends, one for each application."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as kubernetes

from components.kubernetes.context import KubernetesContext

# Backends run under the strictest of Kubernetes' Pod Security Standards. What an application runs is its own choice,
# within what a shared cluster can bear; it is warned of the rest.
BACKENDS: Mapping[str, str] = {"enforce": "restricted", "audit": "restricted", "warn": "restricted"}
APPLICATIONS: Mapping[str, str] = {"enforce": "baseline", "warn": "restricted"}


def namespace(
    context: KubernetesContext, logical: str, name: str, security: Mapping[str, str], opts: pulumi.ResourceOptions
) -> kubernetes.core.v1.Namespace:
    """One namespace. Claims are data, and go with their namespace: so it outlives the stack."""
    modes = {f"pod-security.kubernetes.io/{mode}": level for mode, level in security.items()}
    keeping = pulumi.ResourceOptions(retain_on_delete=f"namespace/{name}" not in context.delete_data)
    return kubernetes.core.v1.Namespace(
        logical,
        metadata={"name": name, "labels": {**context.labels(name, "namespace"), **modes}},
        opts=pulumi.ResourceOptions.merge(opts, keeping),
    )
