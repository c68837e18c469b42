"""Runs the pack's rules the way the analyzer does: on wire-shaped inputs behind the SDK's proxies."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from google.protobuf import json_format, struct_pb2
from pulumi_policy import (
    PolicyCustomTimeouts,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    StackValidationArgs,
)
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY, deserialize_properties, serialize_properties
from pulumi_policy.proxy import UnknownValueError, unknown_checking_proxy

from policies.rules import RULES, ResourceRule, StackRule
from policies.rules.exceptions import Recorded

Findings = dict[str, list[str]]
"""Rule name → messages."""

DESCRIPTIONS = {rule.name: rule.description for rule in RULES if isinstance(rule, ResourceRule) and not rule.check}
"""Of rules that find nothing and only remediate."""


@dataclass(frozen=True)
class Example:
    """A resource as an engine would send it."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    protect: bool = False
    uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # property → URNs that its value comes from
    parent: str = ""  # URN
    registered: str = ""  # the URN that an engine gave it

    @property
    def urn(self) -> str:
        return self.registered or f"urn:pulumi:test::strata::{self.type}::{self.name}"

    @property
    def properties(self) -> struct_pb2.Struct:
        wire = struct_pb2.Struct()
        # An engine keeps a provider's own notes (`__defaults`) to itself.
        wire.update({key: value for key, value in self.inputs.items() if not key.startswith("__")})
        return wire


def secret(value: Any) -> dict[str, Any]:
    """A secret, as the wire has it."""
    return {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": value}


def remediate(example: Example, exceptions: Sequence[Recorded] = ()) -> tuple[Example, list[str]]:
    """The example as the rules' remediations leave it, and the rules that changed it."""
    wire = deserialize_properties(json_format.MessageToDict(example.properties), True)
    arguments = _arguments(_resource(example, unknown_checking_proxy(wire)))
    changed = []
    for rule in RULES:
        # What the SDK does with a remediation that an unknown value keeps from an answer: it tells so.
        with suppress(UnknownValueError):
            if isinstance(rule, ResourceRule) and rule.remediate and rule.policy(exceptions).remediate(arguments):
                changed.append(rule.name)
    return replace(example, inputs=serialize_properties(arguments.props)), changed


def evaluate(*examples: Example, exceptions: Sequence[Recorded] = ()) -> tuple[Findings, set[str]]:
    """The findings of all checks over a stack of these, and the rules that an unknown value kept from an answer.

    Inputs are those that no remediation has changed. A rule that only remediates is found by its description.
    """
    findings: Findings = {}
    undecided: set[str] = set()
    resources = _resources(examples)
    stack = StackValidationArgs(resources)
    resource_policies = [rule.policy(exceptions) for rule in RULES if isinstance(rule, ResourceRule) and rule.check]
    stack_policies = [rule.policy(exceptions) for rule in RULES if isinstance(rule, StackRule)]
    runs = [
        *((p.name, partial(p.validate, _arguments(resource))) for p in resource_policies for resource in resources),
        *((p.name, partial(p.validate, stack)) for p in stack_policies),
    ]
    for name, validate in runs:

        def report(message: str, urn: str | None = None, rule: str = name) -> None:
            findings.setdefault(rule, []).append(message)

        try:
            validate(report)
        except UnknownValueError:
            undecided.add(name)
    for example in examples:
        _, changed = remediate(example, exceptions)
        findings |= {name: [DESCRIPTIONS[name]] for name in changed if name in DESCRIPTIONS}
    return findings, undecided


def _resources(examples: tuple[Example, ...]) -> list[PolicyResource]:
    made = {example.urn: _resource(example) for example in examples}
    for example in examples:
        sources = {key: [made[urn] for urn in urns if urn in made] for key, urns in example.uses.items()}
        made[example.urn].property_dependencies.update(sources)
        made[example.urn].parent = made.get(example.parent)
    return list(made.values())


def _resource(example: Example, props: Any = None) -> PolicyResource:
    if props is None:
        props = unknown_checking_proxy(deserialize_properties(json_format.MessageToDict(example.properties)))
    options = PolicyResourceOptions(example.protect, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])
    return PolicyResource(example.type, props, example.urn, example.name, options, None, None, [], {})


def _arguments(resource: PolicyResource) -> ResourceValidationArgs:
    return ResourceValidationArgs(
        resource.resource_type, resource.props, resource.urn, resource.name, resource.opts, resource.provider
    )
