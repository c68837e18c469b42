"""The findings of policy packs, written for different readers."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_SARIF_LEVEL: Final = {"mandatory": "error", "advisory": "warning"}

# A comment on GitHub has at most 65,536 characters; a row of either table has some 150.
_MOST_ROWS: Final = 150


@dataclass(frozen=True, kw_only=True)
class Report:
    """`packs` and `steps` are those of the engine's JSON document."""

    stack: str
    packs: Sequence[dict[str, Any]]
    steps: Sequence[dict[str, Any]] = ()
    expired: tuple[str, ...] = ()

    @property
    def findings(self) -> list[dict[str, Any]]:
        """The mandatory ones first, then by policy and resource."""
        found = [violation for pack in self.packs for violation in pack["violations"]]
        return sorted(found, key=lambda f: (f["enforcementLevel"] != "mandatory", f["policyName"], f["resourceUrn"]))

    @property
    def remediations(self) -> list[dict[str, Any]]:
        return [remediation for pack in self.packs for remediation in pack["remediations"]]

    @property
    def policies(self) -> list[dict[str, str]]:
        return [policy for pack in self.packs for policy in pack["policies"]]

    @property
    def changes(self) -> list[dict[str, Any]]:
        """The steps of the plan that do something."""
        return [step for step in self.steps if step["op"] != "same"]

    @property
    def mandatory(self) -> int:
        return sum(finding["enforcementLevel"] == "mandatory" for finding in self.findings)

    @property
    def ok(self) -> bool:
        return not self.mandatory and not self.expired

    @property
    def summary(self) -> str:
        others = len(self.findings) - self.mandatory
        return (
            f"{len(self.policies)} policies on the stack {self.stack}: {self.mandatory} mandatory and {others} advisory"
            f" violations, {len(self.remediations)} remediations, {len(self.expired)} expired exceptions"
        )


def table(report: Report) -> str:
    rows = [(f["enforcementLevel"], f["policyName"], _resource(f["resourceUrn"])) for f in report.findings]
    rows += [("remediate", r["policyName"], _resource(r["resourceUrn"])) for r in report.remediations]
    details = [*(_message(f) for f in report.findings), *([",".join(r["changed"])] for r in report.remediations)]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(2)]
    lines = []
    for (level, name, resource), detail in zip(rows, details, strict=True):
        lines.append(f"{level:<{widths[0]}}  {name:<{widths[1]}}  {resource}")
        lines += [f"{'':{widths[0]}}  {line}" for line in detail]
    return "".join(f"{line}\n" for line in [*lines, report.summary])


def json_document(report: Report) -> str:
    counts = {"policies": len(report.policies), "mandatory": report.mandatory, "violations": len(report.findings)}
    packs = {"packs": list(report.packs), "expiredExceptions": list(report.expired)}
    return json.dumps({"stack": report.stack, "ok": report.ok, **counts, **packs}, indent=2) + "\n"


def markdown(report: Report) -> str:
    """For a comment on a pull request: the policies' findings, and below them the plan."""
    lines = [f"### Policies: {'✅' if report.ok else '❌'}", "", report.summary, ""]
    if report.findings:
        lines += ["| Level | Policy | Resource | What, and what to write |", "|---|---|---|---|"]
    rows = []
    for finding in report.findings:
        text = _cell(" ".join(_message(finding)))
        resource = _resource(finding["resourceUrn"])
        rows.append(f"| {finding['enforcementLevel']} | `{finding['policyName']}` | `{resource}` | {text} |")
    lines += _some(rows)
    for done in report.remediations:
        what = ", ".join(f"`{change}`" for change in done["changed"])
        lines.append(f"- remediated: `{done['policyName']}` on `{_resource(done['resourceUrn'])}`: {what}")
    lines += [f"- {_cell(line)}" for line in report.expired]
    return "\n".join([*lines, *_plan(report)]).rstrip() + "\n"


def _plan(report: Report) -> Iterator[str]:
    counts = Counter(step["op"] for step in report.changes)
    yield ""
    yield f"### Plan: {', '.join(f'{count} to {op}' for op, count in sorted(counts.items())) or 'no changes'}"
    if counts:
        yield "\n<details><summary>Resources</summary>\n\n| Step | Type | Name | Because of |\n|---|---|---|---|"
        yield from _some([_plan_row(step) for step in report.changes])
        yield "\n</details>"


def _plan_row(step: dict[str, Any]) -> str:
    _, _, kind, name = step["urn"].split("::", 3)
    reasons = ", ".join(f"`{reason}`" for reason in step.get("diffReasons", ()))
    return f"| {step['op']} | `{kind.rpartition('$')[2]}` | `{name}` | {reasons} |"


def _some(rows: Sequence[str]) -> list[str]:
    left = len(rows) - _MOST_ROWS
    return [*rows[:_MOST_ROWS], *([f"| and {left} more | | | |"] if left > 0 else [])]


def sarif(report: Report) -> str:
    """For code scanning, which needs a file: that of the stack's settings."""
    driver = {"name": "strata policy", "rules": [_sarif_rule(policy) for policy in report.policies]}
    run = {"tool": {"driver": driver}, "results": [*_results(report)]}
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _results(report: Report) -> Iterator[dict[str, Any]]:
    for finding in report.findings:
        urn = finding["resourceUrn"]
        yield {
            "ruleId": finding["policyName"],
            "level": _SARIF_LEVEL[finding["enforcementLevel"]],
            "message": {"text": "\n".join(_message(finding)) or finding["policyName"]},
            "locations": [
                {
                    "physicalLocation": {"artifactLocation": {"uri": f"Pulumi.{report.stack}.yaml"}},
                    "logicalLocations": [{"fullyQualifiedName": urn, "name": _resource(urn), "kind": "resource"}],
                }
            ],
            "partialFingerprints": {"policyAndResource/v1": f"{finding['policyName']} {urn}"},
        }


def _sarif_rule(policy: dict[str, str]) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": policy["name"]}
    if policy["severity"]:
        rule["properties"] = {"tags": [policy["severity"]]}
    for key, text in (("shortDescription", policy["description"]), ("help", policy["remediation"])):
        if text:
            rule[key] = {"text": text}
    return {**rule, "helpUri": policy["url"]} if policy["url"] else rule


def _message(finding: dict[str, Any]) -> list[str]:
    """Without its first line, which is the policy's description."""
    lines: list[str] = finding["message"].splitlines()
    return lines[1:] or lines


def _resource(urn: str) -> str:
    return urn.rpartition("::")[2]


def _cell(text: str) -> str:
    """In a table a bar ends the cell; and nothing of a program's is to be taken for HTML."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")
