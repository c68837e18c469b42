"""What a run leaves as it is: what it was not asked for, and, with `--continue-on-error`, what depends on a failure."""

import threading
from collections.abc import Mapping
from typing import Literal

from engine.execution import Run
from engine.selection import Selection
from engine.state import ROOT_STACK_TYPE, ResourceState

# Why a resource is not what the program wants: nobody asked for it, its step failed, or what it depends on is left out.
Reason = Literal["untargeted", "failed", "skipped"]

_HOW_TO_NAME_ONE = "Write a URN, or '**::NAME' for the resources of that name (in quotes, for the shell)"


class Scope:
    """Asked in the order of registrations, in which what is depended on comes first. Safe from several threads."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._lock = threading.Lock()
        self._chosen: set[str] = set()
        self._left_out: dict[str, Reason] = {}
        self._untouched: dict[str, ResourceState] = {}
        self.kept: set[str] = set()  # URNs of entries of the state that stay though nothing supersedes them

    def includes(self, new: ResourceState) -> bool:
        """Whether to act on a resource. Providers and the stack are always acted on, as the rest needs them."""
        with self._lock:
            depends = self._selection.dependents and not self._chosen.isdisjoint(new.all_dependencies())
            if not self._selection or self._selection.matches(new.urn) or depends:
                self._chosen.add(new.urn)
                return True
        return new.is_provider or new.type == ROOT_STACK_TYPE

    def is_real(self, run: Run, urns: set[str]) -> bool:
        """Whether every target that is a URN is one of these; tells of others, and of patterns that match none."""
        unknown = self._selection.unknown(urns)
        for urn in unknown:
            run.fail(f"--target {urn}: the stack has no such resource. {_HOW_TO_NAME_ONE}")
        for pattern in self._selection.unmatched(urns):
            run.warn(f"--target {pattern}: no resource of the stack matches. {_HOW_TO_NAME_ONE}")
        return not unknown

    def leave_out(self, new: ResourceState, reason: Reason, old: ResourceState | None) -> None:
        with self._lock:
            self._left_out[new.urn] = reason
            if old is not None:
                self.kept.add(old.urn)

    def keep(self, old: ResourceState) -> None:
        """An entry of the state is to stay as it is."""
        with self._lock:
            self._untouched[old.urn] = old
            self.kept.add(old.urn)

    def in_a_circle(self, new: ResourceState) -> bool:
        """Whether it depends on what is kept as it is, and that on it."""
        with self._lock:
            frontier, seen = list(new.all_dependencies() & self._untouched.keys()), set[str]()
            while frontier:
                urns = self._untouched[frontier.pop()].all_dependencies()
                if new.urn in urns:
                    return True
                frontier.extend((urns & self._untouched.keys()) - seen)
                seen |= urns
        return False

    def why(self, urn: str) -> Reason | None:
        """Why a registered resource is left out; None if it is not."""
        return self._left_out.get(urn)

    @property
    def leaves_out(self) -> bool:
        """Whether anything is left out so far."""
        return bool(self._left_out)

    def missing(self, new: ResourceState) -> list[str]:
        """What a resource depends on, and is left out."""
        with self._lock:
            return sorted(new.all_dependencies() & self._left_out.keys())


def staying(
    older: Mapping[ResourceState, ResourceState], kept: set[str], selected: set[str] | None
) -> set[ResourceState]:
    """Those entries that a run must not delete: kept or not selected ones, and what these refer to.

    `older` maps entries as they were, in the order of the state, to what they are now; `selected` is None without a
    selection.
    """
    stay: set[ResourceState] = set()
    needed: set[str] = set()
    for before, now in reversed(list(older.items())):
        unselected = selected is not None and now.urn not in selected
        if unselected or (not now.delete and (now.urn in kept or now.urn in needed)):
            stay.add(before)
            needed |= now.all_dependencies()
    return stay
