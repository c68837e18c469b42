"""Builds the policy pack and nothing else: `PolicyPack` serves the analyzer and returns only when the engine is done.

Never import this module; rules are importable from `policies.rules`.
"""

from pulumi_policy import EnforcementLevel, PolicyPack

from policies.rules import RULES

PolicyPack(
    name="strata",
    description="What loses data or leaks it.",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[rule.policy() for rule in RULES],
)
