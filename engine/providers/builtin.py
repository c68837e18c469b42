"""The package `pulumi`: what every engine has itself. Of its resources this one has StackReference."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.providers.base import Call, Diff, Old, Properties, ProviderError, Unsupported
from engine.values import contains_secret

STACK_REFERENCE: Final = "pulumi:pulumi:StackReference"


@dataclass(frozen=True)
class StackOutputs:
    """What a stack exports, secrets marked; `locked` are the names of those that cannot be opened, and are left out."""

    values: Properties
    locked: tuple[str, ...] = ()


class BuiltinProvider:
    """`outputs_of` takes "<stack>", "organization/<stack>" or "organization/<project>/<stack>"."""

    def __init__(self, outputs_of: Callable[[str], StackOutputs]) -> None:
        self._outputs_of = outputs_of

    def configure(self, config: Mapping[str, Any]) -> None:
        """Nothing to configure."""

    def read(self, call: Call, old: Old) -> Old | None:
        """Other stacks' outputs, with the names of secret ones, which the SDK keeps secret one by one."""
        _refuse_others(call.type)
        name = old.inputs.get("name", old.id)
        found = self._outputs_of(name)
        secret = sorted({*(key for key, value in found.values.items() if contains_secret(value)), *found.locked})
        return Old(old.id, old.inputs, {"name": name, "outputs": found.values, "secretOutputNames": secret})

    def check(self, call: Call, old_inputs: Properties | None, inputs: Properties) -> Properties:
        _refuse_others(call.type)
        raise Unsupported(f"{call.type} {call.name!r}: the SDK is too old: it registers what newer ones only read")

    def diff(self, call: Call, old: Old, inputs: Properties) -> Diff:
        raise AssertionError("check refuses")

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        raise AssertionError("check refuses")

    def update(self, call: Call, old: Old, inputs: Properties) -> Properties:
        raise AssertionError("check refuses")

    def delete(self, call: Call, old: Old) -> None:
        """There is nothing outside of the state."""

    def invoke(self, token: str, args: Properties) -> Properties:
        raise ProviderError(f"{token} is not supported by the embedded engine; use the pulumi CLI")

    def close(self) -> None:
        """Nothing is open."""


def _refuse_others(resource_type: str) -> None:
    if resource_type != STACK_REFERENCE:
        raise Unsupported(
            f"{resource_type} is not supported by the embedded engine (of package pulumi it has StackReference); use "
            "the pulumi CLI for this stack"
        )
