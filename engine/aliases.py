"""The URNs under which the state may know a resource: its own, and those that it had (`aliases`, and its parents').

The rules are those of generateAliases (pkg/resource/deploy/step_generator.go in pulumi/pulumi).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.state import ROOT_STACK_TYPE


@dataclass(frozen=True, kw_only=True)
class Alias:
    """What was different about a resource; an empty field is as it is now. `urn` says all at once."""

    urn: str = ""
    name: str = ""
    type: str = ""
    parent: str = ""  # URN
    no_parent: bool = False
    project: str = ""
    stack: str = ""


def make_urn(stack: str, project: str, parent: str, type: str, name: str) -> str:
    """`parent` is a URN, or empty; the stack as a parent is not part of a URN."""
    parent_type = parent.split("::")[2] if parent else ROOT_STACK_TYPE
    types = type if parent_type == ROOT_STACK_TYPE else f"{parent_type}${type}"
    return f"urn:pulumi:{stack}::{project}::{types}::{name}"


def former_urns(urn: str, parent: str, aliases: tuple[Alias | str, ...], used: Mapping[str, str]) -> Iterator[str]:
    """In the order in which they are looked up. `used` are the aliases that were found: URN → the one before.

    A child named after its parent (`web-data` of `web`) is looked for under its parent's former name, too.
    """
    stack, project, types, name = urn.removeprefix("urn:pulumi:").split("::", 3)
    type = types.rpartition("$")[2]
    own = [
        alias
        if isinstance(alias, str)
        else alias.urn
        or make_urn(
            alias.stack or stack,
            alias.project or project,
            "" if alias.no_parent else used.get(alias.parent, alias.parent) or parent,
            alias.type or type,
            alias.name or name,
        )
        for alias in aliases
    ]
    yield from own
    if parent not in used:
        return
    for former in (urn, *own):
        *_, former_types, former_name = former.split("::", 3)
        parent_name, parent_before = parent.split("::", 3)[3], used[parent].split("::", 3)[3]
        if former_name.startswith(parent_name):
            former_name = parent_before + former_name.removeprefix(parent_name)
        yield make_urn(stack, project, used[parent], former_types.rpartition("$")[2], former_name)
