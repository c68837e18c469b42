"""Runs the pack's rules the way the analyzer does: on wire-shaped inputs behind the SDK's unknown-checking proxy."""

from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format, struct_pb2
from pulumi_policy import PolicyCustomTimeouts, PolicyResourceOptions, ResourceValidationArgs
from pulumi_policy.deserialize import deserialize_properties
from pulumi_policy.proxy import UnknownValueError, unknown_checking_proxy

from policies.rules import RULES

Findings = dict[str, list[str]]
"""Rule name → messages."""


def arguments(type_: str, name: str, inputs: Mapping[str, Any], *, protect: bool = False) -> ResourceValidationArgs:
    """What a validation is given for a resource with these checked inputs, after their way through protobuf."""
    wire = struct_pb2.Struct()
    wire.update(dict(inputs))
    props = unknown_checking_proxy(deserialize_properties(json_format.MessageToDict(wire)))
    options = PolicyResourceOptions(protect, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])
    return ResourceValidationArgs(type_, props, urn(type_, name), name, options, None)


def urn(type_: str, name: str) -> str:
    return f"urn:pulumi:test::strata::{type_}::{name}"


def evaluate(resource: ResourceValidationArgs) -> tuple[Findings, set[str]]:
    """The findings of all rules, and the names of the rules that an unknown value kept from an answer."""
    findings: Findings = {}
    undecided: set[str] = set()
    for rule in RULES:
        messages: list[str] = []

        def report(message: str, urn: str | None = None, into: list[str] = messages) -> None:
            into.append(message)

        try:
            rule.policy().validate(resource, report)
        except UnknownValueError:
            undecided.add(rule.name)
        if messages:
            findings[rule.name] = messages
    return findings, undecided
