"""A user of the object store: an access key and its secret, and the policy that limits it to its buckets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import pulumi
from pulumi.dynamic import CheckFailure, Resource

from components.slices.admin import Address, AdminRef
from components.slices.object_store.connection import (
    MARK,
    Connection,
    bucket_problems,
    canonical,
    connect,
    user_problems,
)
from components.slices.resource import Props, SliceProvider, inputs_of, is_known, with_secret_outputs

# Clients ask for a bucket's location first, and uploads of more than a few MB come in parts. Versions can be read and
# so restored, but not deleted: what an application loses by mistake, or by an intruder, is still there. MinIO counts
# s3:DeleteObject for versions too, unless s3:DeleteObjectVersion is denied.
ON_BUCKET: Final = (
    "s3:GetBucketLocation",
    "s3:GetBucketVersioning",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
)
ON_OBJECTS: Final = (
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:DeleteObjectTagging",
    "s3:GetObject",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
    "s3:PutObjectTagging",
)
SECRET_SHORTEST: Final = 8  # MinIO's own limit


@dataclass(frozen=True, kw_only=True)
class ObjectStoreUserArgs:
    """`name` is the access key, `password` the secret key. `buckets` are all that it reaches."""

    admin: AdminRef
    identity: pulumi.Input[str]
    name: str
    password: pulumi.Input[str]
    buckets: Sequence[pulumi.Input[str]]


class ObjectStoreUserProvider(SliceProvider):
    """An existing user of that name is adopted. `granted` is what was asked for, `live_grants` what the server has.

    `secret_key` is what the server accepted last. A server tells no secret: only a login shows that it is another one.
    """

    compared: ClassVar = ("buckets",)
    replacing: ClassVar = ("name",)
    unrecorded: ClassVar = ("password",)

    def failures(self, olds: Props, news: Props) -> list[CheckFailure]:
        found = user_problems("name", news["name"])
        for bucket in news.get("buckets") or []:
            found += bucket_problems("buckets", bucket)
        if not news.get("buckets"):
            found.append(CheckFailure("buckets", f"the user `{news['name']}` needs a bucket"))
        if is_known(news.get("password")) and len(news.get("password") or "") < SECRET_SHORTEST:
            found.append(CheckFailure("password", f"the user `{news['name']}` needs one of 8 characters or more"))
        return found

    def drifted(self, olds: Props, news: Props) -> bool:
        if olds.get("granted") != olds.get("live_grants"):
            return True
        return is_known(news.get("password")) and olds.get("secret_key") != news["password"]

    def apply(self, props: Props, olds: Props | None = None) -> Props:
        name, policy = props["name"], policy_name(props)
        with connect(Address.of(props)) as connection:
            connection.admin.policy_add(policy, policy=_policy(props))
            connection.put_user(name, props["password"])
            connection.admin.policy_set(policy, user=name)
            granted = _grants(connection, connection.user(name) or {})
        return {"granted": granted, "live_grants": granted, "secret_key": props["password"]}

    def live(self, props: Props) -> Props | None:
        with connect(Address.of(props)) as connection:
            user = connection.user(props["name"])
            if user is None:
                return None
            secret = props.get("secret_key", "")
            accepted = connection.accepts(props["name"], secret, props["buckets"][0])
            grants = _grants(connection, user)
            return {"live_grants": grants, "secret_key": secret if accepted else ""}

    def delete(self, id_: str, props: Props) -> None:
        """Remove the user and its policy: its next request is refused. Objects stay."""
        with connect(Address.of(props)) as connection:
            connection.remove_user(props["name"])
            connection.remove_policy(policy_name(props))


class ObjectStoreUser(Resource, module="strata", name="ObjectStoreUser"):
    """A user of the object store. What it wrote stays when it is deleted."""

    name: pulumi.Output[str]

    def __init__(self, name: str, args: ObjectStoreUserArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = ("granted", "live_grants", "secret_key")
        inputs = inputs_of(args, *outputs)
        super().__init__(ObjectStoreUserProvider(), name, inputs, with_secret_outputs(opts, "secret_key"))


def policy_name(props: Props) -> str:
    """The policy that belongs to this user alone. It carries Strata's mark, since MinIO's users have no comments."""
    return f"{MARK}{props['admin']['stack']}.{props['name']}"


def _policy(props: Props) -> dict[str, Any]:
    buckets = [f"arn:aws:s3:::{name}" for name in sorted(props["buckets"])]
    objects = [f"{bucket}/*" for bucket in buckets]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": [*ON_BUCKET], "Resource": buckets},
            {"Effect": "Allow", "Action": [*ON_OBJECTS], "Resource": objects},
            {"Effect": "Deny", "Action": ["s3:DeleteObjectVersion"], "Resource": objects},
        ],
    }


def _grants(connection: Connection, user: dict[str, Any]) -> str:
    """What the user may do, as text to compare."""
    names = str(user.get("policyName") or "")
    documents = [canonical(connection.policy(name)) for name in names.split(",")]
    return " ".join([str(user.get("status")), names, *documents])
