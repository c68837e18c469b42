"""A stack's checkpoint in memory. Its JSON is in engine/checkpoint.py, its files are in engine/backend.py.

Secret values are `engine.values.Secret`. Fields that this engine does not use are kept as they were found, so that a
state written by the official CLI survives a round trip.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from typing import Any, Literal

from engine.values import Properties

OperationType = Literal["creating", "updating", "deleting", "reading", "importing"]

ROOT_STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER_TYPE_PREFIX = "pulumi:providers:"
# Shown by `pulumi stack`, used by nothing else there; the suffix tells which engine wrote a state.
ENGINE_VERSION = f"v{version('pulumi')}+embedded"


@dataclass(frozen=True, kw_only=True)
class CustomTimeouts:
    """Seconds; 0 is "the provider's own"."""

    create: float = 0
    update: float = 0
    delete: float = 0
    read: float = 0


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
        """The logical name: what follows the third `::` of the URN, and may contain `::` itself."""
        return self.urn.split("::", 3)[-1]

    @property
    def package(self) -> str:
        """The provider's package, such as `docker`; of a provider resource, the package that it provides."""
        return self.type.removeprefix(PROVIDER_TYPE_PREFIX).partition(":")[0]

    @property
    def is_provider(self) -> bool:
        return self.type.startswith(PROVIDER_TYPE_PREFIX)

    @property
    def reference(self) -> str:
        """How other entries name this provider: "<urn>::<id>"."""
        return f"{self.urn}::{self.id}"

    def all_dependencies(self) -> frozenset[str]:
        """URNs of everything that must exist before this: parent, dependencies, provider, deletedWith, replaceWith."""
        return self._all_dependencies

    @cached_property
    def _all_dependencies(self) -> frozenset[str]:
        urns = {self.parent, self.provider.rpartition("::")[0], self.deleted_with, *self.dependencies}
        urns.update(self.replace_with, *self.property_dependencies.values())
        return frozenset(urns - {""})


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
    version: str = ""  # of the engine that wrote it
    extra: Mapping[str, Any] = field(default_factory=dict)  # parts of the checkpoint that this engine does not use

    @property
    def stack_outputs(self) -> Properties:
        """The stack's exports; `Secret` where they are secret."""
        for entry in self.resources:
            if entry.type == ROOT_STACK_TYPE and not entry.delete:
                return dict(entry.outputs)
        return {}
