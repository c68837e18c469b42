"""What a run tells while it goes on, and how secrets are kept out of it."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from engine.differences import Difference
from engine.findings import PackReport
from engine.state import ResourceState
from engine.values import MASK, SHORTEST_MASKED, rewrite, secret_texts

Kind = Literal["preview", "preview-destroy", "update", "destroy", "refresh"]
Op = Literal[
    "same", "create", "update", "replace", "create-replacement", "delete-replaced", "delete", "read", "discard"
]
Severity = Literal["info", "warning", "error"]
_PATIENCE = 2.0  # seconds until something is said
RETAINED = "retained"  # the note of a deletion that leaves the thing where it is
COUNTED: tuple[Op, ...] = ("create", "update", "replace", "delete", "read", "same")  # as in a summary, in its order
UNCHANGING: tuple[Op, ...] = ("same", "read")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One operation on one resource, when it starts and when it ends. A preview has the end only."""

    op: Op
    phase: Literal["start", "done", "failed"]
    urn: str
    type: str
    name: str
    seconds: float = 0.0
    changed: tuple[str, ...] = ()  # top-level inputs that differ
    note: str = ""  # such as "retained"
    reasons: tuple[str, ...] = ()  # of a replacement
    old: ResourceState | None = None
    new: ResourceState | None = None
    differences: tuple[Difference, ...] = ()  # between old and new inputs; masked

    @property
    def parent(self) -> str:
        """A URN; "" of the stack and of default providers."""
        return resource.parent if (resource := self.new or self.old) else ""

    @property
    def needs(self) -> frozenset[str]:
        """URNs of all that has to be there for it."""
        return resource.all_dependencies() if (resource := self.new or self.old) else frozenset()


@dataclass(frozen=True, kw_only=True)
class Message:
    """A diagnostic; `urn` is empty for the stack as a whole."""

    severity: Severity
    text: str
    urn: str = ""


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a preview, an update or a destroy ended. A dry pass that failed is a preview, whatever it was for."""

    kind: Kind
    changes: dict[str, int]  # op → number of resources, of COUNTED
    outputs: dict[str, Any]  # the stack's exports, `Secret` and `UNKNOWN` inside
    outputs_before: dict[str, Any]
    duration: float  # seconds
    exit_code: int = 0
    messages: tuple[Message, ...] = ()
    steps: tuple[Step, ...] = ()
    policies: tuple[PackReport, ...] = ()  # of the packs that ran
    config: dict[str, Any] = field(default_factory=dict)  # the stack's, `Secret` inside
    mask: Callable[[str], str] = field(default=str, repr=False, compare=False)  # hides secrets that were met

    @property
    def succeeded(self) -> bool:
        return self.exit_code == 0

    @property
    def changed(self) -> bool:
        return any(count for op, count in self.changes.items() if op not in UNCHANGING)


class Display(Protocol):
    """Who is told. Calls come from several threads, one at a time; every text is masked already."""

    def plan(self, steps: Sequence[Step]) -> None:
        """What the dry pass found that the next pass is going to do."""

    def begin(self, kind: Kind, stack: str) -> None: ...

    def step(self, step: Step) -> None: ...

    def message(self, message: Message) -> None: ...

    def finish(self, result: Result) -> None: ...


class Mask:
    """Replaces every secret text that the run has met by `[secret]`."""

    def __init__(self) -> None:
        self._texts: set[str] = set()
        self._by_head: dict[str, list[str]] = {}  # first characters → texts, the longest first
        self._lock = threading.Lock()

    def learn(self, *values: Any) -> None:
        new = {form for value in values for text in secret_texts(value) for form in _forms(text)}
        with self._lock:
            for text in new - self._texts:
                self._texts.add(text)
                texts = self._by_head.setdefault(text[:SHORTEST_MASKED], [])
                texts.append(text)
                texts.sort(key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """In time that grows with the text, and not with the number of secrets: there may be thousands."""
        parts, shown, hidden = [], 0, 0  # ends of what is decided on, and of the last secret
        for start in range(len(text) - SHORTEST_MASKED + 1):
            found = self._by_head.get(text[start : start + SHORTEST_MASKED])
            secret = next((secret for secret in tuple(found) if text.startswith(secret, start)), "") if found else ""
            if not secret:
                continue
            if start >= hidden:
                parts += [text[shown:start], MASK]
            shown = hidden = max(hidden, start + len(secret))
        return "".join([*parts, text[shown:]]) if parts else text

    def value(self, value: Any) -> Any:
        """A property value with every text in it masked."""
        return rewrite(value, lambda node: self(node) if isinstance(node, str) else node)

    def step(self, step: Step) -> Step:
        """What is shown of a step. The resources in it stay as they are."""
        if not step.differences:
            return step
        masked = tuple(
            replace(difference, old=self.value(difference.old), new=self.value(difference.new))
            for difference in step.differences
        )
        return replace(step, differences=masked)


def _forms(text: str) -> Iterable[str]:
    yield text
    yield text.strip()
    yield json.dumps(text)[1:-1]
    yield repr(text)[1:-1]


@dataclass
class Reporter:
    """Counts, keeps and passes on what happens, one call at a time and masked."""

    display: Display
    mask: Mask
    steps: list[Step] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    changes: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def step(self, step: Step, *, counted: bool = True) -> None:
        step = self.mask.step(step)
        with self._lock:
            if step.phase == "done" and counted:
                self.steps.append(step)
                if step.op in COUNTED:
                    self.changes[step.op] += 1
            if counted:
                self.display.step(step)

    def message(self, severity: Severity, text: str, urn: str = "") -> None:
        message = Message(severity=severity, text=self.mask(text), urn=urn)
        with self._lock:
            self.messages.append(message)
            self.display.message(message)


class Recording:
    """A display that shows nothing until it is replayed."""

    def __init__(self) -> None:
        self._events: list[Step | Message] = []

    def plan(self, steps: Sequence[Step]) -> None:
        pass

    def begin(self, kind: Kind, stack: str) -> None:
        pass

    def step(self, step: Step) -> None:
        self._events.append(step)

    def message(self, message: Message) -> None:
        self._events.append(message)

    def finish(self, result: Result) -> None:
        pass

    def replay(self, display: Display, mask: Mask) -> None:
        """Again masked, since a secret may have been met only after a message with it."""
        for event in self._events:
            if isinstance(event, Step):
                display.step(mask.step(event))
            else:
                display.message(replace(event, text=mask(event.text)))


@contextmanager
def patience(display: Display) -> Iterator[None]:
    """Says what goes on if a dry pass, which shows nothing by itself, takes its time."""
    text = "running the program dry, to see what there is to do ..."
    timer = threading.Timer(_PATIENCE, display.message, [Message(severity="info", text=text)])
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
