"""What a registration means for a resource: create it, leave it, update it in place, or replace it."""

import hashlib
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Literal

from engine import paths
from engine.goal import Goal
from engine.providers.base import Call, Diff, Old, Provider
from engine.state import ResourceState
from engine.values import UNKNOWN, Properties, carry_secrets, plain, unwrap


@dataclass(frozen=True, kw_only=True)
class Decision:
    op: Literal["same", "create", "update", "replace"]
    inputs: Properties  # checked, secrets marked
    changed: tuple[str, ...] = ()  # top-level inputs that differ
    reasons: tuple[str, ...] = ()  # of a replacement: property names, or `provider`, `replaceWith`, `deletedWith`
    delete_before_replace: bool = False


def call_of(resource: ResourceState, seed: bytes, operation: Literal["create", "read", "update", "delete"]) -> Call:
    """What a provider is told about a call. The seed is a resource's own and stable within a run."""
    seconds = getattr(resource.custom_timeouts, operation) if resource.custom_timeouts else 0
    return Call(
        urn=resource.urn,
        type=resource.type,
        name=resource.name,
        timeout=seconds or None,
        ignore_changes=resource.ignore_changes,
        random_seed=hashlib.sha256(seed + resource.urn.encode()).digest(),
    )


def check(provider: Provider | None, call: Call, old: ResourceState | None, inputs: Properties) -> Properties:
    """The inputs with the provider's defaults. Raises ProviderError for what it refuses."""
    if provider is None:
        return inputs
    checked = provider.check(call, plain(old.inputs) if old else None, plain(inputs))
    return carry_secrets(checked, inputs)


def keep_ignored(goal: Goal, old: ResourceState, tell: Callable[[str], None]) -> Properties:
    """The program's inputs with the old values where it asked to ignore changes."""
    inputs = deepcopy(goal.inputs)
    missed = [path for path in goal.ignore_changes if not paths.reset(paths.parse(path), old.inputs, inputs)]
    if missed:
        tell(f"cannot ignore changes in added or removed elements of the path: {', '.join(missed)}")
    return inputs


def decide(
    goal: Goal, old: ResourceState, inputs: Properties, provider: Provider | None, call: Call, cascade: str
) -> Decision:
    """For a resource that the state knows. `cascade` names why it must be replaced whatever its provider says."""
    if cascade:
        return Decision(op="replace", inputs=inputs, reasons=(cascade,), changed=differing(old.inputs, inputs))
    if old.pending_replacement:
        return Decision(op="replace", inputs=inputs, changed=differing(old.inputs, inputs))
    answer = diff(goal, old, inputs, provider, call)
    changed = tuple(sorted({path.split(".")[0].split("[")[0] for path in answer.paths}))
    changed = changed or differing(old.inputs, inputs)
    if answer.replaces:
        return Decision(
            op="replace",
            inputs=inputs,
            reasons=answer.replaces,
            changed=changed,
            delete_before_replace=answer.delete_before_replace,
        )
    if answer.changed or old.init_errors:
        return Decision(op="update", inputs=inputs, changed=changed)
    return Decision(op="same", inputs=inputs)


def diff(goal: Goal, old: ResourceState, inputs: Properties, provider: Provider | None, call: Call) -> Diff:
    """The provider's answer; where it cannot tell, and for components, the comparison of the inputs."""
    if not goal.custom:
        changed = differing(old.inputs, inputs)
        return Diff(bool(changed), paths=changed)
    if provider is None:
        return Diff(True)
    answer = provider.diff(call, Old(old.id, plain(old.inputs), plain(old.outputs)), plain(inputs))
    if answer.changed is None:
        changed = differing(old.inputs, inputs)
        answer = replace(answer, changed=bool(changed), paths=changed)
    return _replace_on_changes(answer, goal.replace_on_changes, bool(old.init_errors))


def _replace_on_changes(answer: Diff, patterns: tuple[str, ...], init_errors: bool) -> Diff:
    if not (answer.changed or init_errors):
        return answer
    parsed = [paths.parse(pattern) for pattern in patterns]
    candidates = [*answer.paths, *(["#initerror"] if init_errors else [])]
    hit = [path for path in candidates if any(paths.covers(pattern, paths.parse(path)) for pattern in parsed)]
    return replace(answer, replaces=tuple(dict.fromkeys([*answer.replaces, *hit]))) if hit else answer


def differing(old: Properties, new: Properties) -> tuple[str, ...]:
    """Top-level names whose values differ, secret or not."""
    before, after = unwrap(old), unwrap(new)
    missing = object()
    return tuple(sorted(key for key in {*before, *after} if before.get(key, missing) != after.get(key, missing)))


def diff_dependent(entry: ResourceState, unknown: Iterable[str], provider: Provider | None, call: Call) -> Diff:
    """What the provider says of an entry of the state if the values of the named inputs were to change."""
    inputs = {**entry.inputs, **dict.fromkeys(unknown, UNKNOWN)}
    goal = Goal(type=entry.type, name=entry.name, custom=True, replace_on_changes=entry.replace_on_changes)
    return diff(goal, entry, inputs, provider, call)
