"""What the engine asks of a provider: the part of Pulumi's ResourceProvider protocol that this engine uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

# Property values as providers see them: JSON shapes plus `engine.values.UNKNOWN`; secrets are unwrapped before a
# provider is called and put back on its outputs afterwards.
Properties = dict[str, Any]


class ProviderError(Exception):
    """An operation failed. The text is what the user reads: what is wrong, where, and what to do instead."""


class Unsupported(ProviderError):  # noqa: N818 - says what happened
    """A resource type, option or value that this engine does not carry out; raised before anything is changed."""


class CheckFailed(ProviderError):  # noqa: N818 - says what happened
    """Inputs that the provider refuses; `failures` is a list of (property path, reason)."""

    def __init__(self, failures: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {reason}" if path else reason for path, reason in failures))
        self.failures = list(failures)


class PartialFailure(ProviderError):  # noqa: N818 - says what happened
    """The object exists but is not as asked: it is recorded with its id, its outputs and the reasons (initErrors)."""

    def __init__(self, reasons: Sequence[str], id: str, outputs: Properties) -> None:
        super().__init__("; ".join(reasons))
        self.reasons, self.id, self.outputs = list(reasons), id, outputs


@dataclass(frozen=True)
class Diff:
    """A provider's answer. `changed=None` means it cannot tell: the engine then compares old and new inputs."""

    changed: bool | None
    replaces: tuple[str, ...] = ()  # top-level property names that force a replacement
    paths: tuple[str, ...] = ()  # property paths that differ, for display
    delete_before_replace: bool = False


@dataclass(frozen=True)
class Old:
    """What the state holds of a resource."""

    id: str
    inputs: Properties
    outputs: Properties


@dataclass(frozen=True)
class Call:
    """What every operation is told besides its properties."""

    urn: str
    type: str
    name: str  # the logical name: the last part of the URN
    timeout: float | None = None  # seconds, from customTimeouts
    ignore_changes: tuple[str, ...] = ()
    random_seed: bytes = b""  # for names made by `check`; stable over the dry pass and the real one


class Provider(Protocol):
    """One package's resources. Methods are called from several threads at once.

    What is asked of one: `create` finds and takes over (or replaces) what a killed create of the same inputs left
    behind; `delete` of what is gone succeeds; errors are ProviderErrors whose text is the message for the user.
    """

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take the provider's own configuration (the inputs of its `pulumi:providers:<pkg>` resource)."""

    def check(self, call: Call, old_inputs: Properties | None, inputs: Properties) -> Properties:
        """Validate, fill in defaults and names. Raises CheckFailed, or Unsupported for what is not carried out."""

    def diff(self, call: Call, old: Old, inputs: Properties) -> Diff: ...

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]: ...

    def read(self, call: Call, old: Old) -> Old | None:
        """The live object, or None only if the authenticated backend itself says that it is gone.

        Raises PartialFailure for one that is there and not as asked: a failed attempt to make it so is on record then.
        """

    def update(self, call: Call, old: Old, inputs: Properties) -> Properties: ...

    def delete(self, call: Call, old: Old) -> None: ...

    def invoke(self, token: str, args: Properties) -> Properties: ...

    def close(self) -> None: ...
