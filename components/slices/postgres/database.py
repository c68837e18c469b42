"""A database: its owner, who may connect, and what readers and writers may do in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi.dynamic import Resource

from components.slices.admin import AdminRef
from components.slices.resource import SliceProvider, inputs_of


@dataclass(frozen=True, kw_only=True)
class DatabaseArgs:
    """`readers` may SELECT what the owner has made or will make, `writers` also INSERT, UPDATE and DELETE.

    Both may connect, and so may the roles in `connect`; nobody else, and nobody but the owner may create anything.
    """

    admin: AdminRef
    identity: pulumi.Input[str]
    name: str
    owner: str
    connect: Sequence[pulumi.Input[str]] = ()
    readers: Sequence[pulumi.Input[str]] = ()
    writers: Sequence[pulumi.Input[str]] = ()


class DatabaseProvider(SliceProvider):
    """An existing database of that name is adopted with its data."""

    compared: ClassVar = ("owner", "connect", "readers", "writers")
    replacing: ClassVar = ("name",)


class Database(Resource, module="strata", name="Database"):
    """A Postgres database. Declare it with `retain_on_delete`: its delete drops the data."""

    name: pulumi.Output[str]

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(DatabaseProvider(), name, inputs_of(args), opts)
