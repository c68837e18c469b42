"""A stack's checkpoint in memory, and its JSON in the official format (version 3).

Secret values are `engine.values.Secret` in memory and ciphertext in JSON. Fields that this engine does not use are
kept as they were found, so that a state written by the official CLI survives a round trip.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.errors import EngineError
from engine.secrets import Vault

Properties = dict[str, Any]
OperationType = Literal["creating", "updating", "deleting", "reading", "importing"]

ROOT_STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER_TYPE_PREFIX = "pulumi:providers:"


class StateError(EngineError):
    """The stack file breaks the format or a rule of integrity; the text says which, and how to use the copy."""


@dataclass(frozen=True, kw_only=True)
class CustomTimeouts:
    """Seconds; 0 is "the provider's own"."""

    create: float = 0
    update: float = 0
    delete: float = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class ResourceState:
    """One entry of the checkpoint. Never changed in place: `dataclasses.replace` makes the next one.

    `eq=False`: entries are compared and hashed by identity, as a `delete=True` twin has the same URN.
    """

    urn: str
    type: str
    custom: bool
    id: str = ""
    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)
    parent: str = ""
    provider: str = ""  # "<urn>::<id>"
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    delete: bool = False  # superseded; still to be deleted
    pending_replacement: bool = False  # deleted, and not yet created anew
    external: bool = False
    protect: bool = False
    retain_on_delete: bool = False
    deleted_with: str = ""
    replace_with: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    init_errors: tuple[str, ...] = ()
    custom_timeouts: CustomTimeouts | None = None
    import_id: str = ""
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    created: str = ""  # RFC 3339
    modified: str = ""  # RFC 3339
    source_position: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)  # fields of the official CLI that this engine does not use

    @property
    def name(self) -> str:
        """The logical name: the last part of the URN."""
        raise NotImplementedError

    @property
    def package(self) -> str:
        """The provider's package, such as `docker`; of a provider resource, the package that it provides."""
        raise NotImplementedError

    @property
    def is_provider(self) -> bool:
        raise NotImplementedError

    @property
    def reference(self) -> str:
        """How other entries name this provider: "<urn>::<id>"."""
        raise NotImplementedError

    def all_dependencies(self) -> frozenset[str]:
        """URNs of everything that must exist before this: parent, dependencies, provider, deletedWith, replaceWith."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class PendingOperation:
    """A provider call that was started; what is left of it in a file was interrupted."""

    resource: ResourceState
    type: OperationType


@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """A whole checkpoint, immutable: `resources` in the order in which they were completed."""

    resources: tuple[ResourceState, ...] = ()
    pending: tuple[PendingOperation, ...] = ()
    version: str = ""  # of the engine that wrote it, as in the manifest
    extra: Mapping[str, Any] = field(default_factory=dict)

    def find(self, urn: str) -> ResourceState | None:
        """The live entry (not one that is to be deleted) of that URN."""
        raise NotImplementedError

    @property
    def stack_outputs(self) -> Properties:
        """The stack's exports; `Secret` where they are secret."""
        raise NotImplementedError


def encode(stack: str, snapshot: Snapshot, vault: Vault) -> bytes:
    """The stack file. `stack` is "organization/<project>/<stack>". Unchanged entries cost no serialisation."""
    raise NotImplementedError


def decode(document: Mapping[str, Any], vault: Vault) -> Snapshot:
    """Raises StateError for what breaks the format."""
    raise NotImplementedError


def salt_of(document: Mapping[str, Any]) -> str | None:
    """The encryption salt that the file carries; None without secrets provider. Raises for another provider."""
    raise NotImplementedError


def verify(resources: Sequence[ResourceState]) -> None:
    """The official integrity rules (Snapshot.VerifyIntegrity): raises StateError naming entry and rule."""
    raise NotImplementedError
