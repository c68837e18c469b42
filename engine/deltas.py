"""What a step changes in a state, one by one: for saving steps without the whole state (engine.steps)."""

from dataclasses import dataclass

from engine.state import PendingOperation, ResourceState


@dataclass(frozen=True)
class Put:
    """An entry is finished: after the finished ones, or in the place of the one with its URN."""

    entry: ResourceState


@dataclass(frozen=True)
class Old:
    """An older entry is another one now, or gone. `number` is its place in the state before the run."""

    number: int
    entry: ResourceState | None


@dataclass(frozen=True)
class Begun:
    """A provider call. `number` is its own."""

    number: int
    operation: PendingOperation


@dataclass(frozen=True)
class Ended:
    number: int


@dataclass(frozen=True)
class Settled:
    """What a create had left behind that an earlier run was killed in is taken over, or replaced."""

    urn: str


Change = Put | Old | Begun | Ended | Settled


@dataclass(frozen=True)
class Layout:
    """Which part of a snapshot is what, so that changes can be applied to it."""

    finished: int  # so many entries at its head
    older: tuple[int, ...]  # the numbers of the others
    begun: tuple[int, ...]  # the numbers of the last pending operations; those before them are left from earlier runs
