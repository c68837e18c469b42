"""The official rules of integrity, once more and on the raw JSON: nothing here is shared with engine.integrity."""

from collections import Counter
from typing import Any


def broken_rules(document: Any) -> list[str]:
    """What a checkpoint breaks, in the words of a programmer."""
    latest = document["checkpoint"].get("latest") or {}
    entries = latest.get("resources") or []
    found = []
    for index, entry in enumerate(entries):
        earlier = entries[:index]
        urns = {other["urn"] for other in earlier}
        named = [
            entry.get("parent"),
            entry.get("deletedWith"),
            *entry.get("dependencies", []),
            *(urn for list_ in entry.get("propertyDependencies", {}).values() for urn in list_ or []),
            *entry.get("replaceWith", []),
        ]
        found += [f"{entry['urn']} names {urn} before it" for urn in named if urn and urn not in urns]
        if provider := entry.get("provider"):
            urn, _, id = provider.rpartition("::")
            there = any(other["urn"] == urn and other.get("id") == id for other in earlier)
            if not there and not entry.get("pendingReplacement"):
                found.append(f"{entry['urn']} has the provider {provider}, which is not before it")
        if not entry["custom"] and entry.get("id"):
            found.append(f"{entry['urn']} is a component and has an id")
    live = Counter(entry["urn"] for entry in entries if not entry.get("delete"))
    return [*found, *(f"{urn} stands {count} times" for urn, count in live.items() if count > 1)]
