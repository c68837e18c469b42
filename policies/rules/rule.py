"""What a rule is: a pure check, and what a reader needs to act on its findings."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)

from policies.rules import values
from policies.rules.exceptions import Recorded

ResourceCheck = Callable[[ResourceValidationArgs], Iterator[str]]
"""Yields one message per violation: where (the property), what is wrong, and what to write instead.

Properties are the checked inputs, spelled as on the wire (`memorySwap`); numbers arrive as floats. Reading a value that
a preview cannot know yet raises `UnknownValueError`; a check lets it pass, and the SDK then reports that the rule could
not be evaluated instead of calling the resource good.
"""

Remediation = Callable[[ResourceValidationArgs, frozenset[str]], Mapping[str, Any]]
"""The inputs to write instead, none if all is well. Only what is safe for a resource that exists and holds data.

Gets the names of the inputs that are secrets, too: only remediations are told. Of unknown values as a check.
"""

StackCheck = Callable[[StackValidationArgs], Iterator[tuple[str, str]]]
"""Yields (URN, message) for what only several resources together show. Properties are outputs, planned or final.

Resources come in the order of their URNs.
"""


@dataclass(frozen=True, kw_only=True)
class _Rule:
    name: str  # kebab-case; also the key in a `--policy-pack-config` file
    description: str  # one sentence
    severity: Severity
    remediation_steps: str
    url: str  # where a reader finds the reason

    def _excused(self, exceptions: Sequence[Recorded], resource: str) -> bool:
        return any(recorded.excuses(self.name, resource) for recorded in exceptions)


@dataclass(frozen=True, kw_only=True)
class ResourceRule(_Rule):
    """Looks at one resource before it is created or changed. At least one of `check` and `remediate` is there."""

    applies_to: frozenset[str]  # type tokens
    check: ResourceCheck | None = None
    remediate: Remediation | None = None

    def policy(self, exceptions: Sequence[Recorded] = ()) -> ResourceValidationPolicy:
        """The rule in the SDK's form. A stack's configuration may say another enforcement level.

        It is the pack's, or `remediate` where the rule can: the inputs are then changed and the change is shown.
        """

        def concerns(args: ResourceValidationArgs) -> bool:
            return args.resource_type in self.applies_to and not self._excused(exceptions, args.name)

        def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
            if self.check and concerns(args):
                for message in self.check(args):
                    report(message, None)

        def remediate(args: ResourceValidationArgs) -> Any:
            if not self.remediate or not concerns(args):
                return None
            changed = self.remediate(values.checked(args), values.secrets(args))
            # Into the SDK's own mapping, which keeps what is secret or not known yet.
            for key, value in changed.items():
                args.props[key] = value  # type: ignore[index]
            return args.props if changed else None

        return ResourceValidationPolicy(
            name=self.name,
            description=self.description,
            validate=validate if self.check else None,
            remediate=remediate if self.remediate else None,
            enforcement_level=EnforcementLevel.REMEDIATE if self.remediate else None,
            severity=self.severity,
            remediation_steps=self.remediation_steps,
            url=self.url,
        )


@dataclass(frozen=True, kw_only=True)
class StackRule(_Rule):
    """Looks at the whole stack: at the end of a preview, and again at the end of an update."""

    check: StackCheck

    def policy(self, exceptions: Sequence[Recorded] = ()) -> StackValidationPolicy:
        """As `ResourceRule.policy`."""

        def validate(args: StackValidationArgs, report: ReportViolation) -> None:
            # They come in the order in which they were made, which is another one in each run.
            ordered = sorted(args.resources, key=lambda resource: resource.urn)
            for urn, message in self.check(StackValidationArgs(ordered, args.get_config(), args.stack_tags)):
                if not self._excused(exceptions, urn.rpartition("::")[2]):
                    report(message, urn)

        return StackValidationPolicy(
            name=self.name,
            description=self.description,
            validate=validate,
            severity=self.severity,
            remediation_steps=self.remediation_steps,
            url=self.url,
        )


Rule = ResourceRule | StackRule
