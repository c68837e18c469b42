"""Dynamic resources of the program: importable, so that states hold references to these classes."""

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider, UpdateResult


class NoteProvider(ResourceProvider):
    """Keeps what it is given."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(f"note-{props['name']}", props)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        changed = [key for key in news if key != "__provider" and olds.get(key) != news[key]]
        return DiffResult(changes=bool(changed), replaces=["name"] if "name" in changed else [])

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(news)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        return ReadResult(id_, props)


class Note(Resource, module="takeover", name="Note"):
    """Has a type of its own."""

    text: pulumi.Output[Any]

    def __init__(self, name: str, text: Any, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(NoteProvider(), name, {"name": name, "text": text}, opts)


class Plain(Resource):
    """Has the type of every dynamic resource, and a provider that compares nothing."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(NoteProvider(), name, {"name": name}, opts)
