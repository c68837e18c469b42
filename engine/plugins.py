"""Which provider carries out which resource: providers as resources of the stack, and as code in this process."""

import json
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from engine import providers
from engine.providers.base import Call, Diff, Old, Properties, Provider, ProviderError
from engine.state import PROVIDER_TYPE_PREFIX, Snapshot
from engine.values import UNKNOWN_TEXT, contains_unknown, plain, unwrap

DYNAMIC = "pulumi-python"
_INTERNAL = "__internal"  # Pulumi's own part of a provider's inputs


class Plugins:
    """The providers of a run, each opened and configured on first use, once per configuration."""

    def __init__(self, host: providers.Host) -> None:
        self._host = host
        self._open: dict[str, Provider] = {}
        self._lock = threading.Lock()

    def of_package(self, package: str, inputs: Mapping[str, Any]) -> Provider | None:
        """The provider with that configuration; None while a part of it is unknown. Raises Unsupported."""
        opener = providers.find(package)
        config = {key: value for key, value in plain(dict(inputs)).items() if key != _INTERNAL}
        if contains_unknown(config):
            return None
        key = json.dumps([package, config], sort_keys=True, default=str)
        with self._lock:
            if key not in self._open:
                provider = opener(self._host)
                provider.configure(config)
                self._open[key] = provider
            return self._open[key]

    def prepare(self, state: Snapshot) -> None:
        """Opens the state's providers ahead, since the import of what they need takes a while.

        Dynamic ones are left out: theirs is a process, configured by this run and not by the last one.
        """
        for entry in state.resources:
            package = entry.type.removeprefix(PROVIDER_TYPE_PREFIX)
            if entry.is_provider and package != DYNAMIC:
                with suppress(ProviderError):  # told when, and if, it is asked for
                    self.of_package(package, entry.inputs)

    def close(self) -> None:
        with self._lock:
            for provider in self._open.values():
                provider.close()
            self._open.clear()


class ProviderResources:
    """The provider of `pulumi:providers:<package>` resources: their inputs are their whole state."""

    def __init__(self, plugins: Plugins, *, dry: bool) -> None:
        self._plugins, self._dry = plugins, dry

    def configure(self, config: Mapping[str, Any]) -> None:
        """Nothing to configure."""

    def check(self, call: Call, old_inputs: Properties | None, inputs: Properties) -> Properties:
        self._plugins.of_package(call.type.removeprefix(PROVIDER_TYPE_PREFIX), inputs)
        return {_INTERNAL: {}, **inputs} if "version" in inputs else inputs

    def diff(self, call: Call, old: Old, inputs: Properties) -> Diff:
        before, after = _settings(old.inputs), _settings(inputs)
        changed = tuple(key for key in sorted({*before, *after}) if before.get(key) != after.get(key))
        return Diff(bool(changed), paths=changed)

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        return (UNKNOWN_TEXT if self._dry else str(uuid.uuid4())), _settings(inputs)

    def read(self, call: Call, old: Old) -> Old | None:
        return old

    def update(self, call: Call, old: Old, inputs: Properties) -> Properties:
        return _settings(inputs)

    def delete(self, call: Call, old: Old) -> None:
        """Nothing outside of the state."""

    def invoke(self, token: str, args: Properties) -> Properties:
        raise ProviderError(f"{token}: a provider resource has no functions")

    def close(self) -> None:
        """Nothing is open."""


def _settings(inputs: Mapping[str, Any]) -> Properties:
    return {key: value for key, value in inputs.items() if key != _INTERNAL}


def pickles(state: Snapshot) -> Iterator[str]:
    """The providers of dynamic resources, which are the resources' own."""
    for entry in state.resources:
        pickled = unwrap(entry.outputs.get("__provider"))
        if entry.package == DYNAMIC and isinstance(pickled, str):
            yield pickled
