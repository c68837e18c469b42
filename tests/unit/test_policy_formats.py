"""What `strata policy` writes, read as its readers read it."""

import json
import re
from typing import Any

import pytest

from cli.policy_formats import Report, json_document, markdown, sarif, table

URN = "urn:pulumi:dev::strata::docker:index/container:Container::redis-container"


def violation(level: str, policy: str, message: str) -> dict[str, str]:
    return {"policyName": policy, "enforcementLevel": level, "resourceUrn": URN, "message": f"About it.\n{message}"}


PACK: dict[str, Any] = {
    "policyPackName": "strata",
    "policyPackVersion": "0.1.0",
    "policies": [
        {
            "name": "restarts",
            "description": "It comes back.",
            "severity": "medium",
            "remediation": "Set it.",
            "url": "https://x",
        },
        {"name": "bare", "description": "", "severity": "", "remediation": "", "url": ""},
    ],
    "violations": [
        violation("advisory", "bare", "so | so"),
        violation("mandatory", "restarts", 'restart: "no" <b>; write restart="unless-stopped"'),
    ],
    "remediations": [{"policyName": "labels", "resourceUrn": URN, "changed": ["+labels"]}],
}
REPORT = Report(stack="dev", packs=[PACK])
CLEAN = Report(stack="dev", packs=[{**PACK, "violations": [], "remediations": []}])


def test_the_table_has_what_must_be_done_first() -> None:
    lines = table(REPORT).splitlines()
    assert lines[0] == "mandatory  restarts  redis-container"
    assert lines[1].strip().startswith('restart: "no"')
    assert lines[-1] == (
        "2 policies on the stack dev: 1 mandatory and 1 advisory violations, 1 remediations, 0 expired exceptions"
    )
    assert len(table(CLEAN).splitlines()) == 1


def test_the_document_says_whether_all_is_well() -> None:
    assert json.loads(json_document(REPORT))["ok"] is False
    assert json.loads(json_document(CLEAN))["ok"] is True
    expired = Report(stack="dev", packs=CLEAN.packs, expired=("it ended",))
    assert json.loads(json_document(expired))["ok"] is False
    assert json.loads(json_document(expired))["expiredExceptions"] == ["it ended"]


def test_markdown_keeps_its_table_and_takes_nothing_for_html() -> None:
    text = markdown(REPORT)
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 3
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}
    assert "<b>" not in text
    assert text.startswith("### Policies: ❌")
    assert "- remediated: `labels` on `redis-container`: `+labels`" in text
    assert markdown(CLEAN).startswith("### Policies: ✅")


def test_markdown_ends_with_the_plan() -> None:
    steps: list[dict[str, Any]] = [
        {"op": "same", "urn": URN},
        {"op": "create", "urn": URN},
        {"op": "create", "urn": URN},
    ]
    steps += [{"op": "update", "urn": "urn:pulumi:dev::strata::strata:x:Y$a:b:C::name", "diffReasons": ["memory"]}]
    plan = markdown(Report(stack="dev", packs=[], steps=steps)).partition("### Plan: ")[2]
    assert plan.splitlines()[0] == "2 to create, 1 to update"
    assert "| update | `a:b:C` | `name` | `memory` |" in plan
    assert "same" not in plan
    assert markdown(CLEAN).endswith("### Plan: no changes\n")


def test_a_comment_is_never_longer_than_github_takes() -> None:
    many = Report(
        stack="dev",
        packs=[{**PACK, "violations": PACK["violations"] * 500}],
        steps=[{"op": "create", "urn": URN + str(number)} for number in range(1000)],
    )
    text = markdown(many)
    assert len(text) < 65_536
    assert "and 850 more" in text


@pytest.mark.parametrize("report", [REPORT, CLEAN])
def test_sarif_has_what_code_scanning_asks_for(report: Report) -> None:
    """https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support"""
    document = json.loads(sarif(report))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert rules["restarts"]["shortDescription"] == {"text": "It comes back."}
    assert "shortDescription" not in rules["bare"], "an empty text is refused"
    for result in run["results"]:
        assert result["ruleId"] in rules
        assert result["level"] in ("error", "warning")
        assert result["message"]["text"]
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == "Pulumi.dev.yaml"
        assert location["logicalLocations"][0]["fullyQualifiedName"] == URN
    assert len(run["results"]) == len(report.findings)
