"""What a program has registered: URNs, parents, aliases, and the providers that resources use."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace

from engine.aliases import former_urns, make_urn
from engine.config import StackConfig
from engine.goal import Goal
from engine.providers.base import ProviderError
from engine.state import PROVIDER_TYPE_PREFIX, ROOT_STACK_TYPE, ResourceState


@dataclass(frozen=True, kw_only=True)
class Target:
    """The stack that a run is about."""

    project: str
    stack: str
    config: StackConfig


class Registry:
    """Safe to use from several threads. Raises ProviderError for what contradicts an earlier registration."""

    def __init__(
        self, target: Target, olds: dict[str, ResourceState], register: Callable[[Goal], ResourceState]
    ) -> None:
        """`olds` are the entries of the state by URN; `register` is asked for default providers."""
        self._target, self._olds, self._register = target, olds, register
        self._lock = threading.Lock()
        self._registered: set[str] = set()
        self._aliased: dict[str, str] = {}  # former URN → the one that took it over
        self._former: dict[str, str] = {}  # and the other way round
        self._goals: dict[str, Goal] = {}
        self._default_providers: dict[str, Future[str]] = {}
        self.root = ""  # URN of the stack

    @property
    def urns(self) -> set[str]:
        """Everything that is registered or in the state."""
        with self._lock:
            return self._registered | self._olds.keys()

    def placed(self, goal: Goal) -> Goal:
        """With its parent, and what it takes from it."""
        with self._lock:
            if goal.type == ROOT_STACK_TYPE:
                return goal
            parent = goal.parent or ("" if goal.is_provider else self.root)
            known = self._goals.get(parent)
        if parent and known is None:
            raise ProviderError(f"{goal.type} {goal.name!r}: its parent {parent} is not registered")
        goal = replace(goal, parent=parent)
        return goal.inherit(known) if known else goal

    def urn(self, goal: Goal) -> str:
        return make_urn(self._target.stack, self._target.project, goal.parent, goal.type, goal.name)

    def claim(self, urn: str, goal: Goal) -> ResourceState | None:
        """The entry that the state has for it, under its URN or an alias. Raises for a second use of either."""
        with self._lock:
            if urn in self._registered or urn in self._aliased:
                raise ProviderError(
                    f"{goal.type} {goal.name!r} is registered twice (or was taken over by an alias): give resources of "
                    f"one type and parent different names ({urn})"
                )
            self._registered.add(urn)
            if goal.type == ROOT_STACK_TYPE:
                self.root = urn
            if urn in self._olds:
                return self._olds[urn]
            for former in former_urns(urn, goal.parent, goal.aliases, self._former):
                if former not in self._olds:
                    continue
                if owner := former if former in self._registered else self._aliased.get(former):
                    raise ProviderError(
                        f"{goal.type} {goal.name!r} has the alias {former}, which {owner} has taken over already: give "
                        "the alias to one of them"
                    )
                self._aliased[former] = urn
                self._former[urn] = former
                return self._olds[former]
            return None

    def settle(self, urn: str, goal: Goal) -> None:
        """From now on it can be a parent. `urn` is the one that its children will name."""
        with self._lock:
            self._goals[urn] = goal

    def delete_first(self, urn: str) -> bool | None:
        """What the program says of replacements of that resource."""
        with self._lock:
            goal = self._goals.get(urn)
        return goal.delete_before_replace if goal else None

    def registered(self) -> set[str]:
        with self._lock:
            return set(self._registered)

    def reference(self, goal: Goal) -> str:
        """The provider of a resource: its own, its parents' for the package, or the package's default one."""
        if not goal.custom or goal.is_provider:
            return ""
        reference = goal.provider or goal.providers.get(goal.package, "")
        with self._lock:
            parent = self._goals.get(goal.parent)
            while parent and not reference:
                reference = parent.providers.get(goal.package, "")
                parent = self._goals.get(parent.parent)
        return reference or self._default_provider(goal)

    def _default_provider(self, goal: Goal) -> str:
        """Registered once, however many resources ask at the same time."""
        suffix = "_".join(part for part in (goal.version, goal.plugin_url) if part)
        name = "default" + "".join("_" + part for part in suffix.replace("-", ".").split(".") if part)
        wanted = Goal(
            type=PROVIDER_TYPE_PREFIX + goal.package,
            name=name,
            custom=True,
            inputs=self._target.config.as_properties()
            if goal.package == "pulumi-python"
            else {
                **self._target.config.of_package(goal.package),
                **({"version": goal.version} if goal.version else {}),
                **({"pluginDownloadURL": goal.plugin_url} if goal.plugin_url else {}),
            },
        )
        key = f"{wanted.type}::{name}"
        with self._lock:
            first = key not in self._default_providers
            future = self._default_providers.setdefault(key, Future())
        if first:
            try:
                future.set_result(self._register(wanted).reference)
            except BaseException as error:
                future.set_exception(error)
                raise
        return future.result()
