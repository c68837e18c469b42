"""What a run did as one JSON document, in the shape of `pulumi preview --json`."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from engine import findings
from engine.events import Kind, Message, Result, Step
from engine.state import ROOT_STACK_TYPE, ResourceState
from engine.values import UNKNOWN, UNKNOWN_TEXT, masked, rewrite, unwrap


class JsonDisplay:
    """Writes when the last pass has ended. `policies`, `outputs` and `result` are this engine's own keys."""

    def __init__(self, out: TextIO, *, show_secrets: bool = False) -> None:
        self._out, self._show_secrets = out, show_secrets

    def plan(self, steps: Sequence[Step]) -> None:
        pass

    def begin(self, kind: Kind, stack: str) -> None:
        pass

    def step(self, step: Step) -> None:
        pass

    def message(self, message: Message) -> None:
        pass

    def finish(self, result: Result) -> None:
        document = {
            "config": shown(result.config, show_secrets=self._show_secrets),
            "steps": [self._step(step) for step in result.steps if _counts(step)],
            "diagnostics": [
                {"urn": message.urn, "message": message.text, "severity": message.severity}
                for message in result.messages
            ],
            "policies": findings.document(result.policies),
            "outputs": shown(result.outputs, show_secrets=self._show_secrets),
            "duration": int(result.duration * 1e9),  # nanoseconds
            "changeSummary": result.changes,
            "result": "succeeded" if result.succeeded else "failed",
        }
        if not self._show_secrets:  # those in values that nobody marked
            document = rewrite(document, lambda node: result.mask(node) if isinstance(node, str) else node)
        json.dump(document, self._out, indent=2)
        self._out.write("\n")
        self._out.flush()

    def _step(self, step: Step) -> dict[str, Any]:
        entry: dict[str, Any] = {"op": step.op, "urn": step.urn}
        provider = next((state.provider for state in (step.new, step.old) if state is not None and state.provider), "")
        if provider:
            entry["provider"] = provider
        for key, state in (("oldState", step.old), ("newState", step.new)):
            if state is not None:
                entry[key] = self._state(state)
        if step.changed:
            entry["diffReasons"] = list(step.changed)
        if step.reasons:
            entry["replaceReasons"] = list(step.reasons)
        if step.old is not None and step.new is not None and step.differences:
            entry["detailedDiff"] = {
                difference.path: {
                    "kind": difference.kind + ("-replace" if difference.root in step.reasons else ""),
                    "inputDiff": True,
                }
                for difference in step.differences
            }
        return entry

    def _state(self, state: ResourceState) -> dict[str, Any]:
        """As in a state file."""
        from engine.checkpoint import shown_entry  # with cryptography a tenth of a second, for this display alone

        return shown_entry(state, show_secrets=self._show_secrets)


def _counts(step: Step) -> bool:
    """As with the CLI: not the two halves of a replacement, and of what stays the same only the stack itself."""
    return step.op not in ("same", "create-replacement", "delete-replaced") or step.type == ROOT_STACK_TYPE


def shown(properties: Mapping[str, Any], *, show_secrets: bool) -> dict[str, Any]:
    """For people and JSON: secrets as "[secret]" unless wanted, unknowns as Pulumi's marker."""
    chosen = unwrap(properties) if show_secrets else masked(properties)
    return dict(rewrite(chosen, lambda node: UNKNOWN_TEXT if node is UNKNOWN else node))
