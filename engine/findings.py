"""What policy packs said of a stack, and how that is shown: the official CLI's "Policies:" block, and JSON."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

FindingLevel = Literal["advisory", "mandatory", "remediate"]
_ORDER: Final[tuple[FindingLevel, ...]] = ("remediate", "advisory", "mandatory")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One policy about one resource. A remediation has changed the resource's inputs, anything else is a complaint."""

    policy: str
    level: FindingLevel
    urn: str
    message: str = ""  # begins with the policy's description
    changed: tuple[str, ...] = ()  # of a remediation: the inputs, as "+added", "~changed" or "-removed"


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One policy of a pack, in the pack's own words; each text may be empty."""

    name: str
    description: str
    severity: str  # "low", "medium", "high", "critical", or nothing
    remediation: str
    url: str


@dataclass(frozen=True, kw_only=True)
class PackReport:
    """What one pack has found, and with what."""

    name: str
    version: str
    folder: str  # as the user named it
    findings: tuple[Finding, ...] = ()
    policies: tuple[Policy, ...] = ()

    @property
    def title(self) -> str:
        return f"{self.name}@v{self.version}"

    @property
    def mark(self) -> str:
        """The official CLI's."""
        levels = {finding.level for finding in self.findings}
        return "❌" if "mandatory" in levels else "⚠️" if "advisory" in levels else "✅"


def hide(reports: Sequence[PackReport], mask: Callable[[str], str]) -> tuple[PackReport, ...]:
    """The reports with known secrets masked: a policy may quote the value that it complains about."""
    return tuple(
        replace(
            report,
            findings=tuple(replace(finding, message=mask(finding.message)) for finding in report.findings),
        )
        for report in reports
    )


def block(reports: Sequence[PackReport], resource: Callable[[str], str]) -> Iterator[tuple[str, FindingLevel | None]]:
    """The lines below "Policies:", each with the level that its colour tells."""
    for report in reports:
        yield f"    {report.mark} {report.title} (local: {report.folder})", None
        for finding in sorted(report.findings, key=lambda found: (_ORDER.index(found.level), found.policy, found.urn)):
            what = f" [{','.join(finding.changed)}]" if finding.changed else ""
            yield f"        - [{finding.level}]  {finding.policy}  ({resource(finding.urn)}){what}", finding.level
            for line in finding.message.splitlines():
                yield f"          {line}", None


def document(reports: Sequence[PackReport]) -> list[dict[str, Any]]:
    """For JSON, in the words of the official CLI's policy events; `policies` is this engine's own key."""
    return [
        {
            "policyPackName": report.name,
            "policyPackVersion": report.version,
            "policies": [asdict(policy) for policy in report.policies],
            "violations": [
                {
                    "policyName": finding.policy,
                    "enforcementLevel": finding.level,
                    "resourceUrn": finding.urn,
                    "message": finding.message,
                }
                for finding in report.findings
                if finding.level != "remediate"
            ],
            "remediations": [
                {"policyName": finding.policy, "resourceUrn": finding.urn, "changed": list(finding.changed)}
                for finding in report.findings
                if finding.level == "remediate"
            ],
        }
        for report in reports
    ]
