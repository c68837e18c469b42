"""How steps are told: what is shown and counted of them, and which inputs differ."""

from typing import Any

from engine.differences import Difference, differences
from engine.events import Op, Reporter, Step
from engine.state import ResourceState


def hidden(resource: ResourceState) -> bool:
    """Default providers are not shown and not counted."""
    return resource.is_provider and resource.name.split("_")[0] == "default"


def differing_places(old: ResourceState | None, new: ResourceState, changed: tuple[str, ...]) -> tuple[Difference, ...]:
    """Between the inputs; and what the provider found changed though they are the same, with what it is now."""
    if old is None:
        return tuple(differences({}, new.inputs))
    found = differences(old.inputs, new.inputs)
    drifted = set(changed) - {difference.root for difference in found}
    found += [Difference(name, "update", old.outputs.get(name), new.inputs.get(name)) for name in sorted(drifted)]
    return tuple(found)


def step_of(op: Op, phase: Any, resource: ResourceState, **details: Any) -> Step:
    return Step(op=op, phase=phase, urn=resource.urn, type=resource.type, name=resource.name, **details)


def report_replaced(
    reporter: Reporter, old: ResourceState, new: ResourceState, changed: tuple[str, ...], reasons: tuple[str, ...]
) -> None:
    """The replacement as a whole, which is what a summary counts."""
    details = {"changed": changed, "note": ", ".join(reasons), "reasons": reasons, "old": old, "new": new}
    places = differing_places(old, new, changed)
    reporter.step(step_of("replace", "done", new, differences=places, **details), counted=not hidden(new))
