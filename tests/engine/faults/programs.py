"""Random programs in several versions, from a seed: what one stack is made to be, one after the other."""

import random
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any

from engine.aliases import Alias
from engine.errors import StoppedError
from engine.state import ResourceState
from engine.values import Secret
from tests.engine.direct import Registering

COMPONENT = "test:index:Group"


@dataclass(frozen=True, kw_only=True)
class Node:
    """One resource. `parent`, `after` and `of` are names of earlier ones."""

    name: str
    physical: str  # of the thing; stays when the resource gets another name
    component: bool = False
    value: int = 0
    kind: str = "x"  # another one is a replacement
    secret: str = ""
    parent: str = ""
    after: tuple[str, ...] = ()
    of: str = ""  # whose path is an input
    delete_first: bool = False
    retain: bool = False
    formerly: str = ""
    fail: bool = False  # its creation, with an error that quotes a secret

    @property
    def needs(self) -> set[str]:
        return {self.parent, self.of, *self.after} - {""}

    def inputs(self) -> dict[str, Any]:
        """A replacement that is made beside the old thing has a name of its own, as with every real provider."""
        label = self.physical if self.delete_first else f"{self.physical}-{self.kind}"
        more: dict[str, Any] = {"secret": Secret({"deep": [self.secret]})} if self.secret else {}
        if self.fail:
            more |= {"fail": "create", "value": Secret(self.secret)}
        return {"value": self.value, "kind": self.kind, "label": label, "dbr": self.delete_first} | more


Version = tuple[Node, ...]


def versions(seed: int, count: int = 2, size: int = 9) -> list[Version]:
    """The same for the same seed. Each version differs from the one before in several ways."""
    dice = random.Random(seed)
    made = [_first(dice, size)]
    while len(made) < count:
        made.append(_next(dice, made[-1], len(made)))
    return made


def to_json(version: Version) -> list[dict[str, Any]]:
    return [asdict(node) for node in version]


def from_json(nodes: Sequence[Mapping[str, Any]]) -> Version:
    return tuple(Node(**{**node, "after": tuple(node["after"])}) for node in nodes)


def declare(program: Registering, version: Version, parallel: int) -> None:
    """Registers all, each as soon as what it needs is there, as a real program's threads do."""
    made: dict[str, Future[ResourceState]] = {node.name: Future() for node in version}
    stopped = threading.Event()

    def register(node: Node) -> None:
        try:
            parents = {name: made[name].result() for name in node.needs}
            if stopped.is_set():
                raise StoppedError
            made[node.name].set_result(_register(program, node, parents))
        except Exception as error:  # noqa: BLE001 - given to whoever asks for the result
            stopped.set()
            made[node.name].set_exception(error)

    with ThreadPoolExecutor(max_workers=1 if parallel == 1 else max(len(version), 1)) as pool:
        for node in version:  # what is needed comes first, so that one worker is enough
            pool.submit(register, node)
    for future in made.values():
        future.result()


def _register(program: Registering, node: Node, known: Mapping[str, ResourceState]) -> ResourceState:
    options: dict[str, Any] = {"aliases": (Alias(name=node.formerly),)} if node.formerly else {}
    if node.parent:
        options["parent"] = known[node.parent]
    if node.component:
        group = program.thing(node.name, {"value": node.value}, type=COMPONENT, custom=False, **options)
        program.outputs(group, {"value": node.value})
        return group
    options["after"] = [known[name] for name in node.after]
    if node.of:
        options["of"] = {"source": known[node.of]}
    if node.delete_first:
        options["delete_before_replace"] = True
    return program.thing(node.name, node.inputs(), retain_on_delete=node.retain, **options)


def _first(dice: random.Random, size: int) -> Version:
    nodes: list[Node] = []
    for index in range(size):
        nodes.append(_new(dice, f"r{index}", nodes))
    return tuple(nodes)


def _new(dice: random.Random, name: str, before: Sequence[Node]) -> Node:
    things = [node.name for node in before if not node.component]
    groups = [node.name for node in before if node.component]
    return Node(
        name=name,
        physical=name,
        component=dice.random() < 0.2,
        value=dice.randrange(100),
        secret=f"s3cr3t-{dice.randrange(10**9)}" if dice.random() < 0.3 else "",
        parent=dice.choice(groups) if groups and dice.random() < 0.5 else "",
        after=tuple(sorted(dice.sample(things, min(len(things), dice.randrange(3))))),
        of=dice.choice(things) if things and dice.random() < 0.4 else "",
        delete_first=dice.random() < 0.3,
        retain=dice.random() < 0.1,
    )


def carried(old: Node, gone: set[str], renamed: dict[str, str]) -> Node:
    """The same in the next version, where others are gone or have other names."""
    return replace(
        old,
        parent=renamed.get(old.parent, old.parent),
        after=tuple(renamed.get(name, name) for name in old.after if name not in gone),
        of=renamed.get(old.of, old.of) if old.of not in gone else "",
        formerly="",
    )


def _next(dice: random.Random, version: Version, number: int) -> Version:
    gone = {node.name for node in version if dice.random() < 0.2}
    renamed: dict[str, str] = {}
    nodes: list[Node] = []
    for old in version:
        if old.name in gone or old.parent in gone:  # without its parent its URN would be another one
            gone.add(old.name)
            continue
        node = carried(old, gone, renamed)
        change = dice.random()
        if change < 0.3:
            node = replace(node, value=dice.randrange(100))
        elif change < 0.5:
            node = replace(node, kind=f"{node.kind}{number}")
        elif change < 0.6 and not node.component:
            renamed[node.name] = f"{node.name}v{number}"
            node = replace(node, name=renamed[node.name], formerly=node.name)
        nodes.append(node)
    nodes += [_new(dice, f"n{number}{index}", nodes) for index in range(dice.randrange(3))]
    return tuple(nodes)
