"""What a rule is: a pure check of one resource, and what a reader needs to act on its findings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pulumi_policy import ReportViolation, ResourceValidationArgs, ResourceValidationPolicy, Severity

Check = Callable[[ResourceValidationArgs], Iterator[str]]
"""Yields one message per violation: where (the property), what is wrong, and what to write instead.

Properties are the checked inputs, spelled as on the wire (`memorySwap`); numbers arrive as floats. Reading a value that
a preview cannot know yet raises `UnknownValueError`; a check lets it pass, and the SDK then reports that the rule could
not be evaluated instead of calling the resource good.
"""


@dataclass(frozen=True, kw_only=True)
class Rule:
    name: str  # kebab-case; also the key in a `--policy-pack-config` file
    description: str  # one sentence
    applies_to: frozenset[str]  # type tokens
    check: Check
    severity: Severity
    remediation_steps: str
    url: str  # where a reader finds the reason

    def policy(self) -> ResourceValidationPolicy:
        """The rule in the SDK's form, at the pack's enforcement level unless a stack's configuration says otherwise."""
        return ResourceValidationPolicy(
            name=self.name,
            description=self.description,
            validate=self._validate,
            severity=self.severity,
            remediation_steps=self.remediation_steps,
            url=self.url,
        )

    def _validate(self, args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
        if args.resource_type in self.applies_to:
            for message in self.check(args):
                report_violation(message, None)
