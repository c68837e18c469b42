"""What a run looks like: lines like the official CLI's."""

import os
import threading
from collections.abc import Sequence
from typing import Final, TextIO

from engine import changes, findings
from engine.events import COUNTED, RETAINED, UNCHANGING, Kind, Message, Result, Step
from engine.progress import Progress
from engine.values import unwrap

TITLES: Final[dict[Kind, str]] = {
    "preview": "Previewing update",
    "preview-destroy": "Previewing destroy",
    "update": "Updating",
    "destroy": "Destroying",
    "refresh": "Refreshing",
}
SYMBOLS: Final[dict[str, str]] = {
    "same": "  ",
    "create": "+ ",
    "update": "~ ",
    "replace": "+-",
    "create-replacement": "++",
    "delete-replaced": "--",
    "delete": "- ",
    "read": "> ",
    "discard": "< ",
}
_DOING: Final[dict[str, tuple[str, str, str]]] = {
    "create": ("creating", "created", "create"),
    "update": ("updating", "updated", "update"),
    "create-replacement": ("creating replacement", "created replacement", "create replacement"),
    "delete-replaced": ("deleting original", "deleted original", "delete original"),
    "delete": ("deleting", "deleted", "delete"),
    "read": ("reading", "read", "read"),
    "discard": ("discarding", "discarded", "discard"),
    "replace": ("replacing", "replaced", "replace"),
}
_DONE: Final[dict[str, str]] = {
    "create": "created",
    "update": "updated",
    "replace": "replaced",
    "delete": "deleted",
    "read": "read",
    "same": "unchanged",
}
_BOLD: Final = "1"
COLOURS: Final[dict[str, str]] = {  # the official CLI's, as SGR parameters (ECMA-48)
    "+": "32",
    "~": "33",
    "-": "31",
    "+-": "35",
    "++": "32",
    "--": "31",
    ">": "36",
    "error": "31",
    "warning": "33",
    "mandatory": "31",
    "advisory": "33",
    "remediate": "36",
}


class TextDisplay:
    """Plain lines, one per event, for terminals and logs alike; a terminal has colours, unless NO_COLOR is set."""

    def __init__(self, out: TextIO, *, show_secrets: bool = False, details: bool = False) -> None:
        """`details`: every step with the properties that it changes."""
        self._out, self._show_secrets, self._details = out, show_secrets, details
        self._coloured = out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._kind: Kind = "update"
        self._diagnostics: dict[str, list[Message]] = {}
        self._lock = threading.Lock()
        self._progress = self._watch()

    def _watch(self) -> Progress | None:
        return Progress(lambda text: self._write(f" @  {text} ..."), lambda step: f"{doing(step)} {step.name}")

    def plan(self, steps: Sequence[Step]) -> None:
        """Lines tell of what is done, not of what is going to be."""

    def begin(self, kind: Kind, stack: str) -> None:
        self._kind = kind
        self._diagnostics = {}
        self._write(f"{TITLES[kind]} ({stack}):", _BOLD)
        if self._progress:
            self._progress.begin()

    def step(self, step: Step) -> None:
        planned = _is_plan(self._kind)
        if self._progress:
            self._progress.step(step)
        # A plan shows a replacement as one line, its execution as the two steps that it is.
        if step.op in ("same", *(("create-replacement", "delete-replaced") if planned else ("replace",))):
            return
        present, done, plan = _DOING[step.op]
        if step.phase == "failed":
            text = f"**{present} failed**"
        elif planned:
            text = plan
        elif step.phase == "start":
            text = present
        else:
            text = f"{done} ({step.seconds:.2f}s)"
        diff = ",".join(step.changed) if step.op in ("update", "replace") else ""
        notes = [f"[diff: ~{diff}]" if diff else "", f"[{step.note}]" if step.note else ""]
        symbol = SYMBOLS[step.op]
        line = f" {symbol} {short(step.type)} {step.name} {text} {' '.join(notes)}".rstrip()
        self._write(line, COLOURS["error"] if step.phase == "failed" else COLOURS.get(symbol.strip(), ""))
        if self._details and step.phase == self._detailed_phase:
            for change in changes.places(step.differences):
                self._write(change, COLOURS.get(change.lstrip()[0], ""))

    @property
    def _detailed_phase(self) -> str:
        """The one in which a step's properties are shown; a plan has no start."""
        return "done" if _is_plan(self._kind) else "start"

    def message(self, message: Message) -> None:
        if message.severity == "info":
            self._write(f"    {message.text}")
        else:
            self._diagnostics.setdefault(message.urn, []).append(message)

    def finish(self, result: Result) -> None:
        if self._progress:
            self._progress.end()
        self._policies(result)
        if self._diagnostics:
            self._write("\nDiagnostics:", _BOLD)
        for urn, messages in self._diagnostics.items():
            self._write(f"  {_title(urn)}:")
            for message in messages:
                text = message.text.replace("\n", "\n      ")
                self._write(f"    {self._paint(message.severity + ':', COLOURS[message.severity])} {text}")
        self._outputs(result)
        self._resources(result)
        self._retained(result)
        seconds = max(1, round(result.duration))
        self._write(f"\nDuration: {seconds}s")

    def close(self) -> None:
        """Leaves the screen as it should be, whatever happened; more than once does no harm."""

    def _policies(self, result: Result) -> None:
        if result.policies:
            self._write("\nPolicies:", _BOLD)
        for line, level in findings.block(result.policies, _title):
            self._write(line, COLOURS.get(level or "", ""))

    def _outputs(self, result: Result) -> None:
        """What changed; a program that failed has no say in what the stack exports."""
        before, after = result.outputs_before, result.outputs
        if self._show_secrets:
            before, after = unwrap(before), unwrap(after)
        if result.succeeded and before != after:
            self._write("\nOutputs:", _BOLD)
            for line in changes.lines(before, after):
                self._write(line, COLOURS.get(line.lstrip()[0], ""))

    def _resources(self, result: Result) -> None:
        self._write("\nResources:", _BOLD)
        planned = _is_plan(result.kind)
        changed = [op for op in COUNTED if op != "same" and result.changes.get(op)]
        for op in changed:
            word = f"to {op}" if planned else _DONE[op]
            symbol = SYMBOLS[op].strip()
            self._write(f"    {symbol} {result.changes[op]} {word}", COLOURS[symbol])
        same = result.changes.get("same", 0)
        total = sum(count for op, count in result.changes.items() if op not in UNCHANGING)
        if total and same:
            self._write(f"    {total} change{'' if total == 1 else 's'}. {same} unchanged")
        elif not total:
            self._write(f"    {same} unchanged")

    def _retained(self, result: Result) -> None:
        """What this run takes out of the stack and leaves where it is, such as data."""
        kept = [step for step in result.steps if step.note == RETAINED and step.old]
        if kept:
            self._write("\nRetained (out of the stack, not deleted):", _BOLD)
        for step in kept:
            self._write(f"    {short(step.type)} {step.name} ({step.old.id if step.old else ''})")

    def _write(self, text: str, colour: str = "") -> None:
        with self._lock:  # progress comes from a thread of its own
            self._out.write(self._paint(text, colour) + "\n")
            self._out.flush()

    def _paint(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if colour and self._coloured else text


def _is_plan(kind: Kind) -> bool:
    return kind in ("preview", "preview-destroy")


def _title(urn: str) -> str:
    parts = urn.split("::", 3)
    return f"{short(parts[2].rsplit('$', 1)[-1])} ({parts[3]})" if len(parts) > 3 else "the stack"


def doing(step: Step) -> str:
    """Such as "creating"."""
    return _DOING[step.op][0]


def short(resource_type: str) -> str:
    """`docker:index:Volume` for docker:index/volume:Volume, as the official CLI shows it."""
    package, _, rest = resource_type.partition(":")
    module, _, name = rest.partition(":")
    folder, _, file = module.rpartition("/")
    return f"{package}:{folder}:{name}" if file and file == name[:1].lower() + name[1:] else resource_type
