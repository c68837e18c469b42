"""Builds the policy pack and nothing else: `PolicyPack` serves the analyzer and returns only when the engine is done.

Never import this module; rules are importable from `policies.rules`.
"""

from datetime import UTC, datetime

from pulumi_policy import EnforcementLevel, PolicyPack

from policies.rules import RULES, exceptions

_RECORDED = exceptions.load(rule.name for rule in RULES)
_ACTIVE = exceptions.active(_RECORDED, datetime.now(UTC).date())

PolicyPack(
    name="strata",
    description="What loses data or leaks it.",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[rule.policy(_ACTIVE) for rule in RULES],
)
