"""What of a plan is done, what is going on, and what waits for what: the model of the live display."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from engine.events import Op, Step

_REMOVING: Final[frozenset[Op]] = frozenset({"delete", "delete-replaced", "discard"})
_NOT_DONE: Final[frozenset[Op]] = frozenset({"same", "replace"})  # a replacement's two halves are steps of their own
_NAMED: Final = 2  # resources that a waiting one is said to wait for


@dataclass(eq=False)
class Node:
    """One step of the plan."""

    step: Step
    index: int  # in the plan
    begun: float | None = None  # seconds on the caller's clock
    done: bool = False

    @property
    def removes(self) -> bool:
        return self.step.op in _REMOVING


@dataclass(frozen=True)
class Row:
    """A line of the tree. `node` is None for a parent that is shown for its children's sake."""

    step: Step
    node: Node | None
    lasts: tuple[bool, ...]  # from the top level to its own: whether it is in the last branch
    waits_for: tuple[str, ...] = ()  # names


class Tracker:
    """Of one pass. Not safe to use from several threads."""

    def __init__(self, plan: Iterable[Step] = ()) -> None:
        self.total = self.finished = 0
        self._steps: dict[str, Step] = {}  # one of each URN, of what stays the same, too
        self._nodes: dict[str, list[Node]] = {}  # by URN
        self._needed_by: dict[str, list[Node]] = {}  # URN → removals that have to come before its own
        for step in plan:
            self._add(step)

    def note(self, step: Step, now: float) -> None:
        """A step that begins or ends. What the plan did not have is added."""
        if step.op in _NOT_DONE:
            if step.op == "same":  # what looked like an update was none
                self._end(node for node in self._nodes.get(step.urn, ()) if not node.removes)
            return
        node = next((node for node in self._nodes.get(step.urn, ()) if node.step.op == step.op), None)
        node = node or self._add(step)
        if node is None:
            return
        # What was planned for it and did not come to pass is over, too.
        others = [other for other in self._nodes[step.urn] if other is not node and other.removes == node.removes]
        self._end(other for other in others if other.begun is None)
        if step.phase == "start":
            node.begun = now
        else:
            self._end([node])

    def rows(self, limit: int) -> tuple[list[Row], int]:
        """About so many lines of the tree of what is not done, and how many steps they leave out.

        What is going on comes first, the longest first; then what can begin next.
        """
        waiting = [node for nodes in self._nodes.values() for node in nodes if not node.done]
        making = [node for node in waiting if not node.removes]
        blockers = {node: self._blockers(node, making) for node in waiting}
        chosen: list[Node] = []
        shown: set[str] = set()
        for node in sorted(waiting, key=lambda node: _rank(node, blockers[node])):
            lines = {node.step.urn, *self._ancestors(node.step)}
            if len(shown | lines) > limit:
                break
            shown |= lines
            chosen.append(node)
        return list(self._tree(chosen, blockers)), len(waiting) - len(chosen)

    def _add(self, step: Step) -> Node | None:
        self._steps.setdefault(step.urn, step)
        if step.op in _NOT_DONE:
            return None
        node = Node(step, self.total)
        self._nodes.setdefault(step.urn, []).append(node)
        if node.removes:
            for urn in step.needs:
                self._needed_by.setdefault(urn, []).append(node)
        self.total += 1
        return node

    def _end(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            self.finished += not node.done
            node.done = True

    def _blockers(self, node: Node, making: Sequence[Node]) -> list[Node]:
        """The steps that have to end before this one can begin. `making` are all that create or update."""
        if node.begun is not None:
            return []
        if not node.removes:
            # That it comes after its parent is seen in the tree.
            needed = (other for urn in node.step.needs - {node.step.parent} for other in self._nodes.get(urn, ()))
            return [other for other in needed if not (other.done or other.removes)]
        first = [other for other in self._needed_by.get(node.step.urn, ()) if not other.done]
        # Only what a replacement has superseded, or its dependents, goes while the program is still running.
        return first or ([] if node.step.op == "delete-replaced" else list(making[: _NAMED + 1]))

    def _ancestors(self, step: Step) -> Iterator[str]:
        """URNs of its parents, without the stack, which the heading stands for."""
        parent = self._steps.get(step.parent)
        while parent is not None and parent.parent:
            yield parent.urn
            parent = self._steps.get(parent.parent)

    def _tree(self, chosen: Iterable[Node], blockers: dict[Node, list[Node]]) -> Iterator[Row]:
        mine: dict[str, list[Node]] = {}
        children: dict[str, dict[str, None]] = {}
        for node in chosen:
            mine.setdefault(node.step.urn, []).append(node)
            below = node.step.urn
            for above in self._ancestors(node.step):
                children.setdefault(above, {})[below] = None
                below = above
            children.setdefault("", {})[below] = None
        order = {urn: index for index, urn in enumerate(self._steps)}

        def visit(above: str, lasts: tuple[bool, ...]) -> Iterator[Row]:
            siblings = sorted(children.get(above, ()), key=order.__getitem__)
            for index, urn in enumerate(siblings):
                here = (*lasts, index == len(siblings) - 1)
                for node in mine.get(urn, ()):
                    yield Row(node.step, node, here, _names(blockers[node]))
                if urn not in mine:
                    yield Row(self._steps[urn], None, here)
                yield from visit(urn, here)

        yield from visit("", ())


def _rank(node: Node, blockers: Sequence[Node]) -> tuple[int, float]:
    if node.begun is not None:
        return 0, node.begun
    return (1 if all(blocker.begun is not None for blocker in blockers) else 2), len(blockers)


def _names(blockers: Sequence[Node]) -> tuple[str, ...]:
    """What goes on already first, and not all of them."""
    ordered = sorted(blockers, key=lambda blocker: (blocker.begun is None, blocker.index))
    names = [blocker.step.name for blocker in ordered[:_NAMED]]
    return (*names, *(["others"] if len(ordered) > _NAMED else []))
