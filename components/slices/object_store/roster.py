"""Ends access to the object store that no application has any more."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi.dynamic import CheckFailure, Resource

from components.slices.admin import Address
from components.slices.object_store.connection import (
    MARK,
    TAG,
    Connection,
    bucket_problems,
    connect,
    if_there,
    user_problems,
)
from components.slices.resource import Props, SliceProvider, inputs_of
from components.slices.roster import RosterArgs


@dataclass(frozen=True, kw_only=True)
class ObjectStoreRosterArgs(RosterArgs):
    """Besides the logins, all buckets that anybody may read."""

    public: Sequence[pulumi.Input[str]]


class ObjectStoreRosterProvider(SliceProvider):
    """A stray user that Strata made is removed with its policy, a stray public bucket is closed; objects stay.

    What carries no mark of Strata is never touched.
    """

    client: ClassVar = "minio"
    compared: ClassVar = ("logins", "public")

    def failures(self, olds: Props, news: Props) -> list[CheckFailure]:
        found = [failure for login in news.get("logins", []) for failure in user_problems("logins", login)]
        return found + [failure for name in news.get("public", []) for failure in bucket_problems("public", name)]

    def identifier(self, props: Props) -> str:
        return "object_store"

    def apply(self, props: Props, olds: Props | None = None) -> Props:
        with connect(Address.of(props)) as connection:
            users, buckets = _stray_users(connection, props), _stray_buckets(connection, props)
            for name, policy in users.items():
                connection.remove_user(name)
                connection.remove_policy(policy)
            for bucket in buckets:
                if_there(connection.s3.delete_bucket_policy, bucket)
        return {"revoked": [*users, *buckets]}

    def live(self, props: Props) -> Props | None:
        with connect(Address.of(props)) as connection:
            return {
                "logins": [*props.get("logins", []), *_stray_users(connection, props)],
                "public": [*props.get("public", []), *_stray_buckets(connection, props)],
            }

    def delete(self, id_: str, props: Props) -> None:
        """The list ends; every user and every public bucket has its own resource."""


class ObjectStoreRoster(Resource, module="strata", name="ObjectStoreRoster"):
    """The users and public buckets of one object store. `revoked` names those that the last run ended."""

    revoked: pulumi.Output[list[str]]

    def __init__(self, name: str, args: ObjectStoreRosterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(ObjectStoreRosterProvider(), name, inputs_of(args, "revoked"), opts)


def _stray_users(connection: Connection, props: Props) -> dict[str, str]:
    """User → the policy that is its own."""
    marked = {name: str(user.get("policyName") or "") for name, user in sorted(connection.users().items())}
    declared = props.get("logins", [])
    return {name: policy for name, policy in marked.items() if policy.startswith(MARK) and name not in declared}


def _stray_buckets(connection: Connection, props: Props) -> list[str]:
    declared = props.get("public", [])
    others = [bucket.name for bucket in connection.s3.list_buckets() if bucket.name not in declared]
    return [name for name in others if connection.bucket_policy(name) and TAG in connection.tags(name)]
