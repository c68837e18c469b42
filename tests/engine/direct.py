"""Runs registrations against the engine's core without a program's process: what takes a program seconds takes
milliseconds here."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.config import StackConfig
from engine.deployment import Deployment, Target
from engine.errors import StoppedError
from engine.events import Mask, Message, Recording, Reporter, Step
from engine.execution import Run
from engine.goal import Goal
from engine.journal import Journal
from engine.plugins import Plugins
from engine.providers import Host
from engine.selection import Selection
from engine.state import ROOT_STACK_TYPE, ResourceState, Snapshot
from engine.values import UNKNOWN, Properties
from tests.engine.cloud import THING, Cloud

PARALLEL = 8


@dataclass
class Pass:
    """What one run did."""

    steps: list[str]
    messages: list[Message]
    changes: dict[str, int]
    failed: bool
    saved: list[Snapshot]

    @property
    def errors(self) -> str:
        return "\n".join(message.text for message in self.messages if message.severity == "error")


class Registering:
    """What a test's program calls."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self.stack = deployment.register(Goal(type=ROOT_STACK_TYPE, name="p-dev", custom=False))

    def thing(self, name: str, inputs: Properties | None = None, **options: Any) -> ResourceState:
        """`after` are resources that it depends on; `of` maps inputs to resources whose id they are."""
        inputs = dict(inputs or {})
        of: dict[str, ResourceState] = options.pop("of", {})
        after: list[ResourceState] = [*options.pop("after", []), *of.values()]
        inputs.update({key: self.value(resource) for key, resource in of.items()})
        return self._deployment.register(
            Goal(
                type=options.pop("type", THING),
                name=name,
                custom=options.pop("custom", True),
                parent=options.pop("parent", self.stack).urn,
                inputs=inputs,
                dependencies=tuple(resource.urn for resource in after),
                property_dependencies={key: (of[key].urn,) if key in of else () for key in inputs},
                **options,
            )
        )

    def get(self, name: str, id: str, inputs: Properties | None = None, **options: Any) -> ResourceState:
        """A thing that is not the stack's own."""
        parent = options.pop("parent", self.stack).urn
        return self._deployment.read(
            Goal(type=THING, name=name, custom=True, parent=parent, inputs=inputs or {}, **options), id
        )

    def value(self, resource: ResourceState) -> Any:
        return UNKNOWN if self._deployment.left_out(resource.urn) else resource.outputs.get("path", resource.id)

    def outputs(self, resource: ResourceState, values: Properties) -> None:
        self._deployment.register_outputs(resource.urn, values)


Program = Callable[[Registering], object]


def one(inputs: Properties, **options: Any) -> Program:
    """A program with a single thing, `a`."""
    return lambda program: program.thing("a", inputs, **options)


@dataclass
class Direct:
    """A stack, its state in memory and its cloud in a folder."""

    cloud: Cloud
    root: Path
    snapshot: Snapshot = field(default_factory=Snapshot)

    def run(
        self,
        program: Program | None,
        *,
        dry: bool = False,
        targets: tuple[str, ...] = (),
        dependents: bool = False,
        continue_on_error: bool = False,
        save: Callable[[Journal], None] | None = None,
    ) -> Pass:
        """`None` destroys."""
        self.cloud.forget_calls()
        saved: list[Snapshot] = []
        display = Recording()
        reporter = Reporter(display, Mask())
        save = save or (lambda journal: saved.append(journal.snapshot()))
        journal = Journal(self.snapshot, save, partial=bool(targets))
        host = Host(project="p", program=self.root, python=Path("python"), say=lambda line, severity: None)
        run = Run(
            dry=dry,
            journal=journal,
            reporter=reporter,
            plugins=Plugins(host),
            seed=os.urandom(32),
            slots=threading.Semaphore(PARALLEL),
            continue_on_error=continue_on_error,
        )
        config = StackConfig(file=self.root / "Pulumi.dev.yaml", values={})
        target = Target(project="p", stack="dev", config=config)
        selection = Selection(targets, dependents=dependents)
        deployment = Deployment(target, run, self.snapshot.pending, PARALLEL, selection)
        try:
            if program is not None:
                program(Registering(deployment))
            if run.goes_on or not run.failed:
                deployment.finish()
        except StoppedError:
            assert run.failed
        if not dry:
            self.snapshot = journal.snapshot()
        steps = [_line(step) for step in reporter.steps]
        return Pass(steps, reporter.messages, dict(reporter.changes), run.failed, saved)

    def entry(self, name: str) -> ResourceState:
        found = [entry for entry in self.snapshot.resources if entry.name == name and not entry.delete]
        assert len(found) == 1, f"{name}: {len(found)} entries"
        return found[0]


def _line(step: Step) -> str:
    note = f" ({step.note})" if step.note else ""
    return f"{step.op} {step.name}{note}"
