"""The rules of the pack, by topic. Importing them is free of side effects and needs no provider SDK."""

from policies.rules import (
    credentials,
    data,
    guarantees,
    hardening,
    health,
    images,
    isolation,
    limits,
    network,
    object_store,
    operations,
    posture,
    roles,
)
from policies.rules.kubernetes import claims, pod_security, probes
from policies.rules.kubernetes import credentials as cluster_credentials
from policies.rules.kubernetes import limits as cluster_limits
from policies.rules.kubernetes import network as cluster_network
from policies.rules.kubernetes import operations as cluster_operations
from policies.rules.rule import ResourceRule, Rule, StackRule

RULES: tuple[Rule, ...] = (
    *data.RULES,
    *images.RULES,
    *network.RULES,
    *limits.RULES,
    *hardening.RULES,
    *health.RULES,
    *operations.RULES,
    *credentials.RULES,
    *object_store.RULES,
    *roles.RULES,
    *isolation.RULES,
    *pod_security.RULES,
    *probes.RULES,
    *cluster_network.RULES,
    *cluster_operations.RULES,
    *cluster_limits.RULES,
    *cluster_credentials.RULES,
    *claims.RULES,
    *posture.RULES,
    *guarantees.RULES,
)
"""Every rule of the pack, in the order in which findings are shown."""

__all__ = ["RULES", "ResourceRule", "Rule", "StackRule"]
