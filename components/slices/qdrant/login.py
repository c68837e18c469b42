"""A login of Qdrant: the point that its token asks for (see `components.slices.qdrant.logins`)."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import pulumi
from pulumi.dynamic import CheckFailure, Resource

from components.slices.admin import Address, AdminRef
from components.slices.qdrant import logins
from components.slices.qdrant.connection import collection_problems, connect
from components.slices.resource import Props, SliceProvider, inputs_of, name_failure


@dataclass(frozen=True, kw_only=True)
class QdrantLoginArgs:
    """`collections` are all that it reaches; `access` is `rw` or `r`."""

    admin: AdminRef
    identity: pulumi.Input[str]
    name: str
    collections: Sequence[str]
    access: Literal["r", "rw"] = "rw"


class QdrantLoginProvider(SliceProvider):
    """`token_id` is new whenever a token that was handed out before would reach more than is declared now.

    A token says by itself what it reaches, so one for fewer collections, or only for reading, has to be another one.
    One for more collections may be handed out while the one before it goes on to work.
    """

    client: ClassVar = "urllib3"
    compared: ClassVar = ("collections", "access")
    replacing: ClassVar = ("name",)

    def failures(self, olds: Props, news: Props) -> list[CheckFailure]:
        found = name_failure("name", news["name"], pattern=r"[a-z][a-z0-9_-]*", limit=63, reserved=logins.ADMIN)
        for name in news.get("collections") or []:
            found += collection_problems("collections", name)
        if not news.get("collections"):
            found.append(CheckFailure("collections", f"the login `{news['name']}` needs a collection"))
        return found

    def drifted(self, olds: Props, news: Props) -> bool:
        return not olds.get("token_id") or olds["token_id"] != olds.get("live_id")

    def apply(self, props: Props, olds: Props | None = None) -> Props:
        id_ = _kept(props, olds or {}) or secrets.token_hex(16)
        with connect(Address.of(props)) as connection:
            logins.put(connection, props["name"], {"id": id_})
        return {"token_id": id_, "live_id": id_}

    def live(self, props: Props) -> Props | None:
        """Without its point the login is shut out, not gone: the token that applications have is let in again."""
        with connect(Address.of(props)) as connection:
            found = logins.get(connection, props["name"])
        return {"live_id": str((found or {}).get("id") or "")}

    def delete(self, id_: str, props: Props) -> None:
        """Its tokens are refused from now on. Points stay."""
        with connect(Address.of(props)) as connection:
            logins.remove(connection, props["name"])


class QdrantLogin(Resource, module="strata", name="QdrantLogin"):
    """A login. `token_id` stands in its tokens, and is worth nothing to whoever cannot sign one."""

    name: pulumi.Output[str]
    token_id: pulumi.Output[str]

    def __init__(self, name: str, args: QdrantLoginArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(QdrantLoginProvider(), name, inputs_of(args, "token_id", "live_id"), opts)


def grants(collections: Sequence[str], access: str) -> list[dict[str, Any]]:
    """What a token of this login says, in Qdrant's words."""
    return [{"collection": name, "access": access} for name in sorted(collections)]


def _kept(props: Props, olds: Props) -> str | None:
    """The id of the last run, unless its tokens reach more than these."""
    wider = set(olds.get("collections") or ()) - set(props["collections"])
    narrower = olds.get("access") == "rw" and props.get("access", "rw") == "r"
    found: str | None = olds.get("token_id")
    return None if wider or narrower else found
