"""The user `default` of a Redis that one application has for itself: who logs in with a password and no name."""

import hashlib
from dataclasses import dataclass
from typing import ClassVar, Final

import pulumi
from pulumi.dynamic import Resource

from components.slices.admin import Address, AdminRef
from components.slices.redis.connection import connect
from components.slices.resource import Props, SliceProvider, inputs_of, is_known, with_secret_outputs

NAME: Final = "default"

# All keys and channels, and what an application does with them: also KEYS, FLUSHDB and INFO. Not what administers the
# server, and not MIGRATE, with which a server sends its keys wherever it is told. The start script gives the same.
RULES: Final = ("~*", "&*", "+@all", "-@admin", "-migrate")


@dataclass(frozen=True, kw_only=True)
class RedisDefaultUserArgs:
    """Only the password's SHA-256 goes to the server."""

    admin: AdminRef
    identity: pulumi.Input[str]
    password: pulumi.Input[str]


class RedisDefaultUserProvider(SliceProvider):
    """`granted` is what was asked for, `rules` what Redis made of it."""

    unrecorded: ClassVar = ("password",)

    def drifted(self, olds: Props, news: Props) -> bool:
        if olds.get("rules") != olds.get("live_rules"):
            return True
        return is_known(news.get("password")) and olds.get("granted") != " ".join(_grants(news))

    def identifier(self, props: Props) -> str:
        return NAME

    def apply(self, props: Props, olds: Props | None = None) -> Props:
        granted = _grants(props)
        with connect(Address.of(props)) as connection:
            connection.command("ACL SETUSER", NAME, "reset", *granted)
            connection.save()
            made = connection.users()[NAME]
        return {"granted": " ".join(granted), "rules": made, "live_rules": made}

    def live(self, props: Props) -> Props | None:
        with connect(Address.of(props)) as connection:
            return {"live_rules": connection.users()[NAME]}

    def delete(self, id_: str, props: Props) -> None:
        """Nobody logs in as `default` any more; keys stay."""
        with connect(Address.of(props)) as connection:
            connection.command("ACL SETUSER", NAME, "reset")
            connection.save()
            connection.command("CLIENT KILL", "USER", NAME)


class RedisDefaultUser(Resource, module="strata", name="RedisDefaultUser"):
    """The default user of one Redis. Deleting it ends its connections."""

    def __init__(self, name: str, args: RedisDefaultUserArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = ("granted", "rules", "live_rules")
        inputs = inputs_of(args, *outputs)
        super().__init__(RedisDefaultUserProvider(), name, inputs, with_secret_outputs(opts, *outputs))


def _grants(props: Props) -> list[str]:
    """The user's rules, with the SHA-256 of the password in the place of the password."""
    return ["on", f"#{hashlib.sha256(props['password'].encode()).hexdigest()}", *RULES]
