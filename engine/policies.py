"""What the policy packs of a run say of each resource before its step, and of the whole stack at the end."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from engine.analyzer import Analyzer
from engine.findings import Finding, FindingLevel, PackReport
from engine.proto import analyzer_pb2
from engine.providers.base import ProviderError
from engine.state import ROOT_STACK_TYPE, ResourceState
from engine.values import Properties, carry_secrets, resolved
from engine.wire import from_struct, to_struct

InputsOf = Callable[[str], Properties]


class Refused(ProviderError):  # noqa: N818 - says what happened
    """A mandatory policy forbids a step."""


class Policies:
    """The packs of one pass. A dry pass collects everything; a real one refuses the first forbidden step.

    Safe to use from several threads. Every method raises PackError if a pack cannot be asked.
    """

    def __init__(self, analyzers: Sequence[Analyzer] = (), *, dry: bool = True) -> None:
        self._analyzers, self._dry = analyzers, dry
        self._findings: dict[Analyzer, dict[Finding, None]] = {analyzer: {} for analyzer in analyzers}
        self._lock = threading.Lock()

    def judge(self, resource: ResourceState, delete_first: bool | None, inputs_of: InputsOf) -> Properties:
        """The inputs to go on with: the resource's own, remediated. `inputs_of` finds a provider's by its reference.

        Raises Refused in a real pass.
        """
        if not self._analyzers:
            return resource.inputs
        fields = _fields(resource, delete_first, inputs_of)
        for analyzer in self._analyzers:
            if analyzer.remediates:
                resource = self._remediate(analyzer, resource, fields)
        request = analyzer_pb2.AnalyzeRequest(properties=to_struct(_public(resource.inputs)), **fields)
        for analyzer in self._analyzers:
            for diagnostic in analyzer.analyze(request).diagnostics:
                finding = _finding(diagnostic, resource.urn)
                self._add(analyzer, finding)
                if finding.level == "mandatory" and not self._dry:
                    name = f"{finding.policy} of {analyzer.name}@v{analyzer.version}"
                    raise Refused(f"refused by the mandatory policy {name}: see the policies above")
        return resource.inputs

    def judge_stack(
        self, resources: Iterable[ResourceState], delete_first: Callable[[str], bool | None], inputs_of: InputsOf
    ) -> None:
        """With the outputs that the resources have in the end, or will have as far as they are known."""
        if not self._analyzers:
            return
        request, root = analyzer_pb2.AnalyzeStackRequest(), ""
        for resource in resources:
            root = resource.urn if resource.type == ROOT_STACK_TYPE else root
            dependencies = {
                key: analyzer_pb2.AnalyzerPropertyDependencies(urns=urns)
                for key, urns in resource.property_dependencies.items()
                if urns
            }
            request.resources.append(
                analyzer_pb2.AnalyzerResource(
                    properties=to_struct(_public(resource.outputs)),
                    parent=resource.parent,
                    dependencies=resource.dependencies,
                    propertyDependencies=dependencies,
                    **_fields(resource, delete_first(resource.urn), inputs_of),
                )
            )
        known = {resource.urn for resource in request.resources}
        for analyzer in self._analyzers:
            for diagnostic in analyzer.analyze_stack(request).diagnostics:
                self._add(analyzer, _finding(diagnostic, diagnostic.urn if diagnostic.urn in known else root))

    def verdict(self) -> str:
        """An error for the end of the pass; "" if no mandatory policy is violated."""
        found = sum(finding.level == "mandatory" for report in self.reports() for finding in report.findings)
        if not found:
            return ""
        when = "nothing was changed" if self._dry else "found after the changes were made"
        return f"{found} mandatory policy violation{'' if found == 1 else 's'} ({when}): see the policies above"

    def reports(self) -> tuple[PackReport, ...]:
        with self._lock:
            return tuple(
                PackReport(
                    name=analyzer.name,
                    version=analyzer.version,
                    folder=analyzer.pack.shown,
                    findings=tuple(findings),
                    policies=analyzer.policies,
                )
                for analyzer, findings in self._findings.items()
                if analyzer.answered
            )

    def _remediate(self, analyzer: Analyzer, resource: ResourceState, fields: dict[str, Any]) -> ResourceState:
        request = analyzer_pb2.AnalyzeRequest(properties=to_struct(resolved(resource.inputs)), **fields)
        for remediation in analyzer.remediate(request).remediations:
            if remediation.diagnostic:
                message = f"{remediation.description}\n{remediation.diagnostic}"
                finding = Finding(policy=remediation.policyName, level="advisory", urn=resource.urn, message=message)
                self._add(analyzer, finding)
                continue
            before = resource.inputs
            # What was secret stays secret, whatever the pack made of it.
            resource = replace(resource, inputs=carry_secrets(from_struct(remediation.properties), before))
            if changed := _changes(resolved(before), resource.inputs):
                finding = Finding(
                    policy=remediation.policyName,
                    level="remediate",
                    urn=resource.urn,
                    message=remediation.description,
                    changed=changed,
                )
                self._add(analyzer, finding)
        return resource

    def _add(self, analyzer: Analyzer, finding: Finding) -> None:
        with self._lock:
            self._findings[analyzer][finding] = None


def _fields(resource: ResourceState, delete_first: bool | None, inputs_of: InputsOf) -> dict[str, Any]:
    """What a pack is told of a resource besides its properties. Of `retain_on_delete`, say, packs know nothing."""
    limits = resource.custom_timeouts
    options = analyzer_pb2.AnalyzerResourceOptions(
        protect=resource.protect,
        ignoreChanges=resource.ignore_changes,
        deleteBeforeReplace=bool(delete_first),
        deleteBeforeReplaceDefined=delete_first is not None,
        additionalSecretOutputs=resource.additional_secret_outputs,
        aliases=resource.aliases,
        parent=resource.parent,
        customTimeouts=analyzer_pb2.AnalyzerResourceOptions.CustomTimeouts(
            create=limits.create if limits else 0,
            update=limits.update if limits else 0,
            delete=limits.delete if limits else 0,
        ),
    )
    fields: dict[str, Any] = {
        "urn": resource.urn,
        "type": resource.type,
        "name": resource.name,
        "options": options,
    }
    if resource.provider:
        urn = resource.provider.rpartition("::")[0]
        fields["provider"] = analyzer_pb2.AnalyzerProviderResource(
            urn=urn,
            type=urn.split("::")[2].rpartition("$")[2],
            name=urn.split("::", 3)[-1],
            properties=to_struct(_public(inputs_of(resource.provider))),
        )
    return fields


def _finding(diagnostic: analyzer_pb2.AnalyzeDiagnostic, urn: str) -> Finding:
    level: FindingLevel = "advisory" if diagnostic.enforcementLevel == analyzer_pb2.ADVISORY else "mandatory"
    return Finding(policy=diagnostic.policyName, level=level, urn=urn, message=diagnostic.message)


def _public(properties: Properties) -> Properties:
    """Without the provider's own notes, such as `__defaults`; deeper ones stay, as with the official engine."""
    return {key: value for key, value in resolved(properties).items() if not key.startswith("__")}


def _changes(before: Properties, after: Properties) -> tuple[str, ...]:
    marks = {key: "+" if key not in before else "-" if key not in after else "~" for key in {*before, *after}}
    return tuple(marks[key] + key for key in sorted(marks) if before.get(key) != after.get(key))
