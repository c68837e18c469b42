"""The pack in its own process, spoken to as an engine does, finds what the direct calls find."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from policies.rules import RULES, tokens
from tests.policies.cases import CASES, POSTGRES, container
from tests.policies.harness import DESCRIPTIONS, Example, Findings, evaluate, remediate

_PACK = Path(__file__).parents[2] / "policies"
_START_SECONDS = 60.0


@pytest.fixture(scope="module")
def analyzer() -> Iterator[analyzer_pb2_grpc.AnalyzerStub]:
    environment = {
        "PULUMI_PROJECT": "strata",
        "PULUMI_STACK": "test",
        "PULUMI_ORGANIZATION": "organization",
        "PULUMI_DRY_RUN": "true",
        "PULUMI_CONFIG": json.dumps({"strata:stage": "test"}),
    }
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(_PACK)],
        cwd=_PACK,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        ready, _, _ = select.select([process.stdout], [], [], _START_SECONDS)
        port = process.stdout.readline().strip() if ready else ""
        if not port:
            process.kill()
            pytest.fail(f"the pack did not start: {process.communicate()[1] or 'no port and no error'}")
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield analyzer_pb2_grpc.AnalyzerStub(channel)
    finally:
        process.kill()
        process.communicate()


def _analyze(
    analyzer: analyzer_pb2_grpc.AnalyzerStub, examples: tuple[Example, ...]
) -> list[analyzer_pb2.AnalyzeDiagnostic]:
    """What an engine asks: every resource before its step, the stack at the end."""
    diagnostics: list[analyzer_pb2.AnalyzeDiagnostic] = []
    stack = analyzer_pb2.AnalyzeStackRequest()
    for example in examples:
        about: Any = {
            "type": example.type,
            "properties": example.properties,
            "urn": example.urn,
            "name": example.name,
            "options": analyzer_pb2.AnalyzerResourceOptions(protect=example.protect),
        }
        diagnostics += analyzer.Analyze(analyzer_pb2.AnalyzeRequest(**about), timeout=30).diagnostics
        uses = {key: analyzer_pb2.AnalyzerPropertyDependencies(urns=urns) for key, urns in example.uses.items()}
        stack.resources.append(analyzer_pb2.AnalyzerResource(**about, parent=example.parent, propertyDependencies=uses))
    return [*diagnostics, *analyzer.AnalyzeStack(stack, timeout=30).diagnostics]


def _remediate(analyzer: analyzer_pb2_grpc.AnalyzerStub, example: Example) -> dict[str, struct_pb2.Struct]:
    """Rule → inputs as it leaves them."""
    request = analyzer_pb2.AnalyzeRequest(
        type=example.type, properties=example.properties, urn=example.urn, name=example.name
    )
    remediations = analyzer.Remediate(request, timeout=30).remediations
    assert not [remediation.diagnostic for remediation in remediations if remediation.diagnostic]
    return {remediation.policyName: remediation.properties for remediation in remediations}


def test_its_findings_are_those_of_the_direct_call(analyzer: analyzer_pb2_grpc.AnalyzerStub) -> None:
    for case in CASES:
        served: Findings = {}
        for diagnostic in _analyze(analyzer, case.examples):
            assert diagnostic.enforcementLevel == analyzer_pb2.MANDATORY, case
            served.setdefault(diagnostic.policyName, []).append(diagnostic.message.split("\n", 1)[1])
        for example in case.examples:
            found = _remediate(analyzer, example)
            mended, changed = remediate(example)
            assert list(found) == changed, case
            served |= {name: [DESCRIPTIONS[name]] for name in found if name in DESCRIPTIONS}
            if found:
                assert json_format.MessageToDict(list(found.values())[-1]) == mended.inputs, case
        direct, _ = evaluate(*case.examples)
        assert served == direct, case


def test_a_stack_rule_names_the_resource(analyzer: analyzer_pb2_grpc.AnalyzerStub) -> None:
    example = container({**POSTGRES, "image": "postgres:18.6"})
    assert [(d.policyName, d.urn) for d in _analyze(analyzer, (example,))] == [("postgres-volume-path", example.urn)]


def test_it_lists_every_rule_with_its_metadata(analyzer: analyzer_pb2_grpc.AnalyzerStub) -> None:
    info = analyzer.GetAnalyzerInfo(empty_pb2.Empty(), timeout=30)
    assert info.name == "strata"
    assert [(p.name, p.remediation_steps, p.url) for p in info.policies] == [
        (rule.name, rule.remediation_steps, rule.url) for rule in RULES
    ]


def test_an_unknown_value_is_advice_and_stops_no_preview(analyzer: analyzer_pb2_grpc.AnalyzerStub) -> None:
    diagnostics = _analyze(analyzer, (container({**POSTGRES, "restart": UNKNOWN_STRING_VALUE}),))
    assert [(d.policyName, d.enforcementLevel) for d in diagnostics] == [("restarts", analyzer_pb2.ADVISORY)]


def test_a_password_that_is_not_known_yet_is_no_worry(analyzer: analyzer_pb2_grpc.AnalyzerStub) -> None:
    login = Example(tokens.ROLE, "example", {"name": "alfred", "password": UNKNOWN_STRING_VALUE})
    assert _remediate(analyzer, login) == {}


def test_a_stack_can_lower_a_rule_by_configuration(analyzer: analyzer_pb2_grpc.AnalyzerStub) -> None:
    never = (container({**POSTGRES, "restart": "no"}),)
    lowered = analyzer_pb2.PolicyConfig(enforcementLevel=analyzer_pb2.ADVISORY)
    try:
        analyzer.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig={"restarts": lowered}), timeout=30)
        assert [d.enforcementLevel for d in _analyze(analyzer, never)] == [analyzer_pb2.ADVISORY]
    finally:
        analyzer.Configure(analyzer_pb2.ConfigureAnalyzerRequest(), timeout=30)
    assert [d.enforcementLevel for d in _analyze(analyzer, never)] == [analyzer_pb2.MANDATORY]


def test_resources_of_other_types_are_none_of_its_business(analyzer: analyzer_pb2_grpc.AnalyzerStub) -> None:
    assert not _analyze(analyzer, (Example("pulumi:pulumi:Stack", "strata-test", {}),))
