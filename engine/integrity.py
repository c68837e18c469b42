"""The rules that a checkpoint must keep: those of Snapshot.VerifyIntegrity (pkg/resource/deploy/snapshot.go).

The official CLI refuses a state that breaks one, so the embedded engine neither uses nor writes such a state.
"""

from collections.abc import Iterator, Sequence

from engine.errors import EngineError
from engine.state import PROVIDER_TYPE_PREFIX, ResourceState


class StateError(EngineError):
    """The state breaks the format or a rule of integrity; the text says which entry and which rule."""


def verify(resources: Sequence[ResourceState]) -> None:
    """Raises StateError that names the first entry which breaks a rule, and the rule."""
    earlier: set[str] = set()
    providers: set[str] = set()
    all_urns = {entry.urn for entry in resources}
    for index, entry in enumerate(resources):
        if not entry.urn:
            raise StateError(f"resources[{index}]: 'urn' is missing")
        if not entry.type:
            raise StateError(f"{entry.urn}: 'type' is missing")
        if not entry.custom and entry.id:
            raise StateError(f"{entry.urn}: a component ('custom': false) must not have an id")
        if entry.is_provider:
            if not _is_provider_urn(entry.urn):
                raise StateError(f"{entry.urn}: a provider's URN must have a type pulumi:providers:<package>")
            providers.add(entry.reference)
        if entry.provider and entry.provider not in providers and not entry.pending_replacement:
            raise StateError(f"{entry.urn}: its provider {entry.provider} is not an earlier entry with that URN and id")
        for role, urn in _references(entry):
            if urn and urn not in earlier:
                what = "comes after it" if urn in all_urns else "is missing"
                raise StateError(f"{entry.urn}: its {role} {urn} {what}")
        earlier.add(entry.urn)
    live: set[str] = set()
    for entry in resources:
        if not entry.delete and entry.urn in live:
            raise StateError(f"{entry.urn}: there are two entries of that URN, and neither is marked for deletion")
        if not entry.delete:
            live.add(entry.urn)


def in_order(resources: Sequence[ResourceState]) -> tuple[ResourceState, ...]:
    """Each entry after what it refers to; else as they are."""
    first: dict[str, ResourceState] = {}
    for entry in sorted(resources, key=lambda entry: entry.delete):
        first.setdefault(entry.urn, entry)
    position = {entry: index for index, entry in enumerate(resources)}
    placed: dict[ResourceState, None] = {}
    begun: set[ResourceState] = set()
    for root in resources:
        open_entries = [root]
        while open_entries:
            entry = open_entries[-1]
            references = {first[urn] for urn in entry.all_dependencies() if urn in first} - placed.keys() - begun
            if entry in placed or not references:
                placed[open_entries.pop()] = None
            begun.add(entry)
            open_entries.extend(sorted(references, key=position.__getitem__, reverse=True))
    return tuple(placed)


def _references(entry: ResourceState) -> Iterator[tuple[str, str]]:
    """(role, URN) of what must stand earlier; an empty URN is no reference."""
    yield "parent", entry.parent
    yield from (("dependency", urn) for urn in entry.dependencies)
    for key, urns in entry.property_dependencies.items():
        yield from ((f"property dependency ({key})", urn) for urn in urns)
    yield "deletedWith", entry.deleted_with
    yield from (("replaceWith", urn) for urn in entry.replace_with)


def _is_provider_urn(urn: str) -> bool:
    parts = urn.split("::")
    return len(parts) >= 4 and parts[2].rpartition("$")[2].startswith(PROVIDER_TYPE_PREFIX)
