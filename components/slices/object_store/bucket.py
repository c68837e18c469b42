"""A bucket: its versions, how long they are kept, its encryption and its tags. Objects are nobody's to delete here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import pulumi
from pulumi.dynamic import CheckFailure, Resource

from components.slices.admin import Address, AdminRef
from components.slices.errors import SliceError
from components.slices.object_store.connection import TAG, Connection, bucket_problems, connect
from components.slices.resource import Props, SliceProvider, inputs_of, name_failure

# Checks of a running stack write below this prefix. They cannot delete versions, as no application can.
CHECKS: Final = "strata-smoke/"
CHECK_DAYS: Final = 1
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/tagging-managing.html
TAG_VALUE: Final = r"[A-Za-z0-9 +=._:/@-]*"
TAG_LIMIT: Final = 256


@dataclass(frozen=True, kw_only=True)
class BucketArgs:
    """Overwritten and deleted objects stay as versions for `noncurrent_days`; without `versioning` they are gone.

    `tags` say what a bucket cannot enforce, such as the largest size of an upload.
    """

    admin: AdminRef
    identity: pulumi.Input[str]
    name: str
    versioning: bool = True
    noncurrent_days: int = 30
    tags: Mapping[str, str] | None = None


class BucketProvider(SliceProvider):
    """An existing bucket of that name is adopted with its objects. `settings` is what the server has."""

    compared: ClassVar = ("versioning", "noncurrent_days", "tags")
    replacing: ClassVar = ("name",)

    def failures(self, olds: Props, news: Props) -> list[CheckFailure]:
        found = bucket_problems("name", news["name"])
        for key, value in (news.get("tags") or {}).items():
            found += name_failure(f"tags.{key}", value, pattern=TAG_VALUE, limit=TAG_LIMIT)
        return found

    def drifted(self, olds: Props, news: Props) -> bool:
        return bool(olds.get("settings") != _wanted(news))

    def apply(self, props: Props, olds: Props | None = None) -> Props:
        with connect(Address.of(props)) as connection:
            if not connection.s3.bucket_exists(props["name"]):
                connection.s3.make_bucket(props["name"])
            _configure(connection, props)
        return {"settings": _wanted(props)}

    def live(self, props: Props) -> Props | None:
        with connect(Address.of(props)) as connection:
            if not connection.s3.bucket_exists(props["name"]):
                return None
            return {"settings": _found(connection, props["name"])}

    def delete(self, id_: str, props: Props) -> None:
        """Remove an empty bucket. Raises SliceError for one that has objects: they are never deleted here."""
        name, address = props["name"], Address.of(props)
        with connect(address) as connection:
            if not connection.s3.bucket_exists(name):
                return
            if next(iter(connection.s3.list_objects(name, recursive=True, include_version=True)), None):
                raise SliceError(
                    f"MinIO at {address}: the bucket `{name}` has objects, or versions of deleted ones, and is kept."
                    " Delete them with an S3 client first"
                )
            connection.s3.remove_bucket(name)


class Bucket(Resource, module="strata", name="Bucket"):
    """A bucket, encrypted by default. Declare it with `retain_on_delete`."""

    name: pulumi.Output[str]

    def __init__(self, name: str, args: BucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(BucketProvider(), name, inputs_of(args, "settings"), opts)


def _wanted(props: Props) -> Props:
    versioning = bool(props.get("versioning", True))
    return {
        "versioning": "Enabled" if versioning else "Suspended",
        # Also without versioning: what was kept while there was one must end some day.
        "noncurrent_days": {"": float(props.get("noncurrent_days", 30)), CHECKS: float(CHECK_DAYS)},
        "encryption": "AES256",
        "tags": {**(props.get("tags") or {}), TAG: props["admin"]["stack"]},
    }


def _found(connection: Connection, name: str) -> Props:
    lifecycle = connection.s3.get_bucket_lifecycle(name)
    kept = {}
    for rule in lifecycle.rules if lifecycle else ():
        expiration, prefix = rule.noncurrent_version_expiration, rule.rule_filter.prefix if rule.rule_filter else None
        kept[prefix or ""] = float(expiration.noncurrent_days or 0) if expiration else 0.0
    encryption = connection.s3.get_bucket_encryption(name)
    status = connection.s3.get_bucket_versioning(name).status
    return {
        "versioning": "Enabled" if status == "Enabled" else "Suspended",
        "noncurrent_days": kept,
        "encryption": encryption.rule.sse_algorithm if encryption else "",
        "tags": connection.tags(name),
    }


def _configure(connection: Connection, props: Props) -> None:
    """Each setting as a whole: what somebody else set there goes."""
    from minio.commonconfig import ENABLED, Filter, Tags
    from minio.lifecycleconfig import Expiration, LifecycleConfig, NoncurrentVersionExpiration, Rule
    from minio.sseconfig import Rule as Encryption
    from minio.sseconfig import SSEConfig
    from minio.versioningconfig import VersioningConfig

    name, wanted, s3 = props["name"], _wanted(props), connection.s3
    s3.set_bucket_encryption(name, SSEConfig(Encryption.new_sse_s3_rule()))
    s3.set_bucket_versioning(name, VersioningConfig(wanted["versioning"]))
    rules = [
        Rule(
            ENABLED,
            rule_filter=Filter(prefix=prefix),
            rule_id=f"strata-old-versions-{number}",
            noncurrent_version_expiration=NoncurrentVersionExpiration(noncurrent_days=int(days)),
            expiration=Expiration(expired_object_delete_marker=True),  # a mark of deletion with no version behind it
        )
        for number, (prefix, days) in enumerate(wanted["noncurrent_days"].items())
    ]
    s3.set_bucket_lifecycle(name, LifecycleConfig(rules))
    tags = Tags.new_bucket_tags()
    tags.update(wanted["tags"])
    s3.set_bucket_tags(name, tags)
