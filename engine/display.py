"""What a run looks like: lines like the official CLI's, or its JSON."""

import json
import os
import threading
from collections.abc import Mapping
from typing import Any, Final, TextIO

from engine import findings
from engine.changes import lines
from engine.events import COUNTED, Kind, Message, Result, Step
from engine.progress import Progress
from engine.values import UNKNOWN, UNKNOWN_TEXT, masked, rewrite, unwrap

_TITLES: Final[dict[Kind, str]] = {
    "preview": "Previewing update",
    "preview-destroy": "Previewing destroy",
    "update": "Updating",
    "destroy": "Destroying",
    "refresh": "Refreshing",
}
_SYMBOLS: Final[dict[str, str]] = {
    "same": "  ",
    "create": "+ ",
    "update": "~ ",
    "replace": "+-",
    "create-replacement": "++",
    "delete-replaced": "--",
    "delete": "- ",
    "discard": "< ",
}
_DOING: Final[dict[str, tuple[str, str, str]]] = {
    "create": ("creating", "created", "create"),
    "update": ("updating", "updated", "update"),
    "create-replacement": ("creating replacement", "created replacement", "create replacement"),
    "delete-replaced": ("deleting original", "deleted original", "delete original"),
    "delete": ("deleting", "deleted", "delete"),
    "discard": ("discarding", "discarded", "discard"),
    "replace": ("replacing", "replaced", "replace"),
}
_DONE: Final[dict[str, str]] = {
    "create": "created",
    "update": "updated",
    "replace": "replaced",
    "delete": "deleted",
    "same": "unchanged",
}
_BOLD: Final = "1"
_COLOURS: Final[dict[str, str]] = {  # the official CLI's, as SGR parameters (ECMA-48)
    "+": "32",
    "~": "33",
    "-": "31",
    "+-": "35",
    "++": "32",
    "--": "31",
    "error": "31",
    "warning": "33",
    "mandatory": "31",
    "advisory": "33",
    "remediate": "36",
}


class TextDisplay:
    """Plain lines, one per event, for terminals and logs alike; a terminal has colours, unless NO_COLOR is set."""

    def __init__(self, out: TextIO, *, show_secrets: bool = False) -> None:
        self._out, self._show_secrets = out, show_secrets
        self._coloured = out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._kind: Kind = "update"
        self._diagnostics: dict[str, list[Message]] = {}
        self._lock = threading.Lock()
        self._progress = Progress(
            lambda text: self._write(f" @  {text} ..."), lambda step: f"{_DOING[step.op][0]} {step.name}"
        )

    def begin(self, kind: Kind, stack: str) -> None:
        self._kind = kind
        self._diagnostics = {}
        self._write(f"{_TITLES[kind]} ({stack}):", _BOLD)
        self._progress.begin()

    def step(self, step: Step) -> None:
        planned = _is_plan(self._kind)
        self._progress.step(step)
        # A plan shows a replacement as one line, its execution as the two steps that it is.
        if step.op in ("same", *(("create-replacement", "delete-replaced") if planned else ("replace",))):
            return
        doing, done, plan = _DOING[step.op]
        if step.phase == "failed":
            text = f"**{doing} failed**"
        elif planned:
            text = plan
        elif step.phase == "start":
            text = doing
        else:
            text = f"{done} ({step.seconds:.2f}s)"
        diff = ",".join(step.changed) if step.op in ("update", "replace") else ""
        notes = [f"[diff: ~{diff}]" if diff else "", f"[{step.note}]" if step.note else ""]
        symbol = _SYMBOLS[step.op]
        line = f" {symbol} {_short(step.type)} {step.name} {text} {' '.join(notes)}".rstrip()
        self._write(line, _COLOURS["error"] if step.phase == "failed" else _COLOURS.get(symbol.strip(), ""))

    def message(self, message: Message) -> None:
        if message.severity == "info":
            self._write(f"    {message.text}")
        else:
            self._diagnostics.setdefault(message.urn, []).append(message)

    def finish(self, result: Result) -> None:
        self._progress.end()
        self._policies(result)
        if self._diagnostics:
            self._write("\nDiagnostics:", _BOLD)
        for urn, messages in self._diagnostics.items():
            self._write(f"  {_title(urn)}:")
            for message in messages:
                text = message.text.replace("\n", "\n      ")
                self._write(f"    {self._paint(message.severity + ':', _COLOURS[message.severity])} {text}")
        self._outputs(result)
        self._resources(result)
        seconds = max(1, round(result.duration))
        self._write(f"\nDuration: {seconds}s")

    def _policies(self, result: Result) -> None:
        if result.policies:
            self._write("\nPolicies:", _BOLD)
        for line, level in findings.block(result.policies, _title):
            self._write(line, _COLOURS.get(level or "", ""))

    def _outputs(self, result: Result) -> None:
        """What changed; a program that failed has no say in what the stack exports."""
        before, after = result.outputs_before, result.outputs
        if self._show_secrets:
            before, after = unwrap(before), unwrap(after)
        if result.succeeded and before != after:
            self._write("\nOutputs:", _BOLD)
            for line in lines(before, after):
                self._write(line, _COLOURS.get(line.lstrip()[0], ""))

    def _resources(self, result: Result) -> None:
        self._write("\nResources:", _BOLD)
        planned = _is_plan(result.kind)
        changes = [op for op in COUNTED if op != "same" and result.changes.get(op)]
        for op in changes:
            word = f"to {op}" if planned else _DONE[op]
            symbol = _SYMBOLS[op].strip()
            self._write(f"    {symbol} {result.changes[op]} {word}", _COLOURS[symbol])
        same = result.changes.get("same", 0)
        total = sum(result.changes.get(op, 0) for op in changes)
        if changes and same:
            self._write(f"    {total} change{'' if total == 1 else 's'}. {same} unchanged")
        elif not changes:
            self._write(f"    {same} unchanged")

    def _write(self, text: str, colour: str = "") -> None:
        with self._lock:  # progress comes from a thread of its own
            self._out.write(self._paint(text, colour) + "\n")
            self._out.flush()

    def _paint(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if colour and self._coloured else text


class JsonDisplay:
    """One JSON document when the last pass has ended, in the shape of `pulumi preview --json`."""

    def __init__(self, out: TextIO, *, show_secrets: bool = False) -> None:
        self._out, self._show_secrets = out, show_secrets

    def begin(self, kind: Kind, stack: str) -> None:
        pass

    def step(self, step: Step) -> None:
        pass

    def message(self, message: Message) -> None:
        pass

    def finish(self, result: Result) -> None:
        document = {
            "steps": [self._step(step) for step in result.steps],
            "diagnostics": [
                {"urn": message.urn, "message": message.text, "severity": message.severity}
                for message in result.messages
            ],
            "policies": findings.document(result.policies),
            "outputs": shown(result.outputs, show_secrets=self._show_secrets),
            "duration": int(result.duration * 1e9),
            "changeSummary": result.changes,
            "result": "succeeded" if result.succeeded else "failed",
        }
        json.dump(document, self._out, indent=2)
        self._out.write("\n")
        self._out.flush()

    def _step(self, step: Step) -> dict[str, Any]:
        entry: dict[str, Any] = {"op": step.op, "urn": step.urn}
        for key, inputs in (("oldState", step.old), ("newState", step.new)):
            if inputs is not None:
                values = shown(inputs, show_secrets=self._show_secrets)
                entry[key] = {"urn": step.urn, "type": step.type, "inputs": values}
        if step.changed:
            entry["diffReasons"] = list(step.changed)
        return entry


def shown(properties: Mapping[str, Any], *, show_secrets: bool) -> dict[str, Any]:
    """For people and JSON: secrets as "[secret]" unless wanted, unknowns as Pulumi's marker."""
    chosen = unwrap(properties) if show_secrets else masked(properties)
    return dict(rewrite(chosen, lambda node: UNKNOWN_TEXT if node is UNKNOWN else node))


def _is_plan(kind: Kind) -> bool:
    return kind in ("preview", "preview-destroy")


def _title(urn: str) -> str:
    parts = urn.split("::", 3)
    return f"{_short(parts[2].rsplit('$', 1)[-1])} ({parts[3]})" if len(parts) > 3 else "the stack"


def _short(resource_type: str) -> str:
    """`docker:index:Volume` for docker:index/volume:Volume, as the official CLI shows it."""
    package, _, rest = resource_type.partition(":")
    module, _, name = rest.partition(":")
    folder, _, file = module.rpartition("/")
    return f"{package}:{folder}:{name}" if file and file == name[:1].lower() + name[1:] else resource_type
