"""An ACL user that reaches the keys and channels of one prefix."""

import hashlib
from dataclasses import dataclass
from typing import ClassVar, Final

import pulumi
from pulumi.dynamic import CheckFailure, Resource

from components.slices.admin import Address, AdminRef
from components.slices.redis.connection import NAME_LIMIT, connect, name_problems
from components.slices.resource import Props, SliceProvider, inputs_of, is_known, name_failure, with_secret_outputs

# Everything but what reaches beyond a prefix: commands that name no key, that walk or move between databases, whose
# libraries and scripts are shared by all users, or that name other tenants' channels.
COMMANDS: Final = (
    "+@all",
    "-@admin",
    "-@dangerous",
    "+info",
    "-select",
    "-swapdb",
    "-randomkey",
    "-dbsize",
    "-function",
    "-fcall",
    "-fcall_ro",
    "-script|flush",
    "-script|kill",
    "-move",
    "-copy",
    "-pubsub",
)
PREFIX: Final = r"[A-Za-z0-9_.:/-]*[_.:/-]"


@dataclass(frozen=True, kw_only=True)
class RedisUserArgs:
    """`prefix` ends in a separator, such as `alfred:`. Only the password's SHA-256 goes to the server."""

    admin: AdminRef
    identity: pulumi.Input[str]
    name: str
    password: pulumi.Input[str]
    prefix: str


class RedisUserProvider(SliceProvider):
    """An existing user of that name is adopted. `granted` is what was asked for, `rules` what Redis made of it."""

    compared: ClassVar = ()
    replacing: ClassVar = ("name",)
    unrecorded: ClassVar = ("password",)

    def failures(self, olds: Props, news: Props) -> list[CheckFailure]:
        found = name_problems("name", news["name"])
        # Without a separator at its end, `app` would open the keys of `app2`.
        found += name_failure("prefix", news["prefix"], pattern=PREFIX, limit=NAME_LIMIT)
        if is_known(news.get("password")) and not news.get("password"):
            found.append(CheckFailure("password", f"the user `{news['name']}` needs a password"))
        return found

    def drifted(self, olds: Props, news: Props) -> bool:
        if olds.get("rules") != olds.get("live_rules"):
            return True
        return is_known(news.get("password")) and olds.get("granted") != " ".join(grants(news))

    def apply(self, props: Props, olds: Props | None = None) -> Props:
        rules = grants(props)
        with connect(Address.of(props)) as connection:
            connection.command("ACL SETUSER", props["name"], "reset", *rules)
            connection.save()
            made = connection.users()[props["name"]]
        return {"granted": " ".join(rules), "rules": made, "live_rules": made}

    def live(self, props: Props) -> Props | None:
        with connect(Address.of(props)) as connection:
            rules = connection.users().get(props["name"])
        return None if rules is None else {"live_rules": rules}

    def delete(self, id_: str, props: Props) -> None:
        """Remove the user; Redis ends its connections. Keys stay."""
        with connect(Address.of(props)) as connection:
            connection.command("ACL DELUSER", props["name"])
            connection.save()


class RedisUser(Resource, module="strata", name="RedisUser"):
    """A user of Redis. Deleting it ends its connections; its keys stay."""

    name: pulumi.Output[str]

    def __init__(self, name: str, args: RedisUserArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = ("granted", "rules", "live_rules")
        super().__init__(RedisUserProvider(), name, inputs_of(args, *outputs), with_secret_outputs(opts, *outputs))


def mark(prefix: str, stack: str) -> str:
    """Strata's mark on a user that it made: a channel in the user's own prefix, since Redis has no comments."""
    return f"&{prefix}strata:made-by:{stack}"


def is_marked(rules: str) -> bool:
    return any(rule.startswith("&") and "strata:made-by:" in rule for rule in rules.split())


def grants(props: Props) -> list[str]:
    """The user's rules, with the SHA-256 of the password in the place of the password."""
    digest = hashlib.sha256(props["password"].encode()).hexdigest()
    prefix = props["prefix"]
    reach = ["resetkeys", f"~{prefix}*", "resetchannels", f"&{prefix}*", mark(prefix, props["admin"]["stack"])]
    return ["on", f"#{digest}", *reach, *COMMANDS]
