"""What every slice has in common: how arguments become inputs, and how two sets of properties are compared."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any, ClassVar

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)
from pulumi.output import Unknown

Props = dict[str, Any]


def inputs_of(args: Any, *outputs: str) -> dict[str, Any]:
    """The fields of an args dataclass, and the names of what only the provider knows (the SDK makes them outputs)."""
    values = {field.name: _plain(getattr(args, field.name)) for field in fields(args)}
    return {**values, **dict.fromkeys(outputs)}


def with_secret_outputs(opts: pulumi.ResourceOptions | None, *names: str) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(additional_secret_outputs=list(names)))


def is_known(value: Any) -> bool:
    """False if a preview does not know a part of `value` yet."""
    if isinstance(value, Mapping):
        return all(is_known(item) for item in value.values())
    if isinstance(value, list):
        return all(is_known(item) for item in value)
    return not isinstance(value, Unknown)


def differs(olds: Props, news: Props, names: Iterable[str]) -> list[str]:
    """Which of `names` changed. A value that a preview does not know yet counts as unchanged: no noise."""
    return [name for name in names if is_known(news.get(name)) and _shape(olds.get(name)) != _shape(news.get(name))]


def name_failure(property_: str, name: Any, *, pattern: str, limit: int, reserved: str = "(?!)") -> list[CheckFailure]:
    """Why `name` cannot be used inside a backend, if it cannot."""
    if not is_known(name):
        return []
    if not re.fullmatch(pattern, str(name)):
        return [CheckFailure(property_, f"`{name}` would need quoting: write a name that matches {pattern}")]
    if len(str(name)) > limit:
        return [CheckFailure(property_, f"`{name}` has {len(str(name))} characters, and at most {limit} are kept")]
    if re.fullmatch(reserved, str(name)):
        return [CheckFailure(property_, f"`{name}` belongs to the backend itself: take another name")]
    return []


class SliceProvider(ResourceProvider):
    """A provider whose `create` and `update` are the same: bring the backend to what is asked, whatever it is now.

    Subclasses say what they compare, and implement `apply` (returns the outputs besides the inputs, idempotent),
    `live` and `delete`. Their import paths are part of every state: a moved class could no longer delete what it made.
    """

    # The pickle of a provider is a reference to its class: nothing in it is secret.
    serialize_as_secret_always = False

    client: ClassVar[str] = ""  # the module that acting imports; declaring a slice does not
    shared: ClassVar[tuple[str, ...]] = ("admin", "identity")
    compared: ClassVar[tuple[str, ...]] = ()
    replacing: ClassVar[tuple[str, ...]] = ()
    unrecorded: ClassVar[tuple[str, ...]] = ()  # inputs that no state is to keep beside the outputs

    def preload(self) -> None:
        """Called by the embedded engine's host, which has time for it while the program is still being imported."""
        if self.client:
            import_module(self.client)

    def check(self, olds: Props, news: Props) -> CheckResult:
        return CheckResult(news, self.failures(olds, news))

    def diff(self, id_: str, olds: Props, news: Props) -> DiffResult:
        replaces = differs(olds, news, self.replacing)
        changed = bool(replaces) or bool(differs(olds, news, (*self.shared, *self.compared)))
        return DiffResult(changes=changed or self.drifted(olds, news), replaces=replaces, delete_before_replace=False)

    def create(self, props: Props) -> CreateResult:
        return CreateResult(self.identifier(props), {**self.recorded(props), **self.apply(props)})

    def update(self, id_: str, olds: Props, news: Props) -> UpdateResult:
        return UpdateResult({**self.recorded(news), **self.apply(news, olds)})

    def read(self, id_: str, props: Props) -> ReadResult:
        live = self.live(props)
        if live is None:
            return ReadResult("", {})
        return ReadResult(id_, {**props, **live})

    def failures(self, olds: Props, news: Props) -> list[CheckFailure]:
        """What is wrong with the inputs `news`; `olds` are the inputs of the last run."""
        return []

    def drifted(self, olds: Props, news: Props) -> bool:
        """Whether something else than the compared inputs calls for an update."""
        return False

    def recorded(self, props: Props) -> Props:
        """The inputs that are kept as outputs, which later runs compare with and delete by."""
        return {key: value for key, value in props.items() if key not in ("__provider", *self.unrecorded)}

    def identifier(self, props: Props) -> str:
        return str(props["name"])

    def apply(self, props: Props, olds: Props | None = None) -> Props:
        raise NotImplementedError

    def live(self, props: Props) -> Props | None:
        """The outputs as the backend has them now; None only if the backend itself says that it has no such thing."""
        raise NotImplementedError


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _shape(value: Any) -> Any:
    """Nothing, an empty list and an empty mapping are the same; the order of a list says nothing.

    Nor does a key without a value: states of earlier versions lack the keys that later ones added.
    """
    value = _filled(value)
    if isinstance(value, list):
        return sorted(value, key=_sorting) or None
    return value or None if isinstance(value, Mapping | str) else value


def _filled(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _filled(item) for key, item in value.items() if item is not None}
    return [_filled(item) for item in value] if isinstance(value, list) else value


def _sorting(value: Any) -> str:
    """The same for two equal mappings, whose keys come in any order over the wire."""
    return json.dumps(value, sort_keys=True, default=repr)
