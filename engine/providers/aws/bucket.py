"""aws:s3/bucket:Bucket. A bucket holds data: one that exists and is this program's is adopted, never emptied."""

import re
from typing import Any, ClassVar, Final

from engine.providers.aws.account import Account, Client, found, patiently
from engine.providers.aws.failures import code_of
from engine.providers.aws.resource import REGION, TAG_ATTRIBUTES, carries, tag_mapping, tag_set, with_tags
from engine.providers.base import Call, Old, PartialFailure, Properties, ProviderError, Unsupported
from engine.providers.bridge.plan import recorded_inputs
from engine.providers.bridge.schema import Attribute, Kind, OnChange, Schema

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
WITHOUT_CONSTRAINT: Final = "us-east-1"  # the region whose buckets are made without naming one
GONE: Final = ("404", "NoSuchBucket")
_ABSENT_TAGS: Final = "NoSuchTagSet"
# Inputs of before version 4 of Terraform's provider, which are resources of their own today.
_OLD = (
    "accelerationStatus",
    "acl",
    "bucketNamespace",
    "bucketPrefix",
    "corsRules",
    "grants",
    "lifecycleRules",
    "logging",
    "objectLockConfiguration",
    "policy",
    "replicationConfiguration",
    "requestPayer",
    "serverSideEncryptionConfiguration",
    "versioning",
    "website",
)


def is_bucket_name(value: str) -> str | None:
    if _NAME.fullmatch(value):
        return None
    return f'"{value}" is no name for a bucket: use 3 to 63 lower-case letters, digits and dashes'


class Bucket:
    framework: ClassVar[bool] = False
    schema: ClassVar[Schema] = {
        "bucket": Attribute(kind=Kind.TEXT, autonamed=True, rule=is_bucket_name),
        "forceDestroy": Attribute(kind=Kind.BOOLEAN, on_change=OnChange.RECORD),
        "objectLockEnabled": Attribute(kind=Kind.BOOLEAN, computed=True),
        **TAG_ATTRIBUTES,
        **REGION,
        **{name: Attribute(kind=Kind.TEXT, computed=True, supported=False) for name in _OLD},
        **{
            name: Attribute(kind=Kind.TEXT, output_only=True)
            for name in ("arn", "bucketDomainName", "bucketRegion", "bucketRegionalDomainName", "hostedZoneId")
        },
    }

    def create(self, account: Account, call: Call, inputs: Properties) -> tuple[str, Properties]:
        if inputs.get("forceDestroy"):
            raise Unsupported(
                f'bucket "{inputs["bucket"]}": this engine never deletes objects; leave out forceDestroy, and empty it '
                "yourself where that is wanted"
            )
        name, s3, outputs = inputs["bucket"], account.client("s3"), self._outputs(account, inputs)
        with account.calling(f'bucket "{name}" cannot be created', "s3"):
            if not self._exists(account, s3, name, inputs):
                self._make(account, s3, name, inputs)
            if inputs.get("tags"):
                try:
                    self._tag(account, s3, name, inputs)
                except ProviderError as error:
                    raise PartialFailure([str(error)], name, {**outputs, **with_tags(None)}) from None
        return name, outputs

    def read(self, account: Account, call: Call, old: Old) -> Old | None:
        name, s3 = old.id, account.client("s3")
        with account.calling(f'bucket "{name}" cannot be read', "s3"):
            if found(lambda: s3.head_bucket(Bucket=name, **account.owner), *GONE) is None:
                return None
            tags = self._tags(account, s3, name)
            lock = found(
                lambda: s3.get_object_lock_configuration(Bucket=name), "ObjectLockConfigurationNotFoundError", *GONE
            )
        outputs = {
            **self._outputs(account, {**old.inputs, "bucket": name}),
            **with_tags(tags),
            "objectLockEnabled": lock is not None,
        }
        return Old(name, old.inputs, outputs)

    def update(self, account: Account, call: Call, old: Old, inputs: Properties) -> Properties:
        if inputs.get("forceDestroy"):
            raise Unsupported(f'bucket "{old.id}": this engine never deletes objects; leave out forceDestroy')
        self._tag(account, account.client("s3"), old.id, inputs)
        return self._outputs(account, inputs)

    def delete(self, account: Account, call: Call, old: Old) -> None:
        s3 = account.client("s3")
        with account.calling(f'bucket "{old.id}" cannot be deleted', "s3"):
            try:
                found(lambda: patiently(lambda: s3.delete_bucket(Bucket=old.id, **account.owner)), *GONE)
            except Exception as error:
                if code_of(error) != "BucketNotEmpty":
                    raise
                raise ProviderError(
                    f'bucket "{old.id}" has objects, or versions of deleted ones (BucketNotEmpty), and is kept. Delete '
                    "them with an S3 client if nobody needs them, or keep the bucket (retain_on_delete), then run this "
                    "again"
                ) from None

    def _exists(self, account: Account, s3: Client, name: str, inputs: Properties) -> bool:
        """Whether it is there already and of this program. Raises ProviderError for one that is somebody else's."""
        try:
            answer = found(lambda: s3.head_bucket(Bucket=name, **account.owner), *GONE)
        except Exception as error:
            if code_of(error) == "403":  # another account's, or not to be seen: making it tells
                return False
            raise
        if answer is None:
            return False
        region = answer.get("BucketRegion") or account.region
        if region != account.region:
            raise ProviderError(
                f'bucket "{name}" exists already in {region}, and the provider\'s region is {account.region}: a bucket '
                "never moves. Give this one another name, or the provider that region"
            )
        if not carries(self._tags(account, s3, name), inputs.get("tags")):
            wanted = ", ".join(f"{key}={value}" for key, value in (inputs.get("tags") or {}).items()) or "none"
            raise ProviderError(
                f'bucket "{name}" exists already in this account and is not of this stack: it lacks tags. Give this '
                f"one another name, or, if the stack shall have that bucket, tag it: {wanted}"
            )
        if inputs.get("objectLockEnabled"):
            self._require_lock(s3, name)
        return True

    def _require_lock(self, s3: Client, name: str) -> None:
        if found(lambda: s3.get_object_lock_configuration(Bucket=name), "ObjectLockConfigurationNotFoundError") is None:
            raise ProviderError(
                f'bucket "{name}" exists already, without object lock. Switch that on (`aws s3api '
                f"put-object-lock-configuration --bucket {name} --object-lock-configuration ObjectLockEnabled=Enabled`)"
                ", then run this again"
            )

    def _make(self, account: Account, s3: Client, name: str, inputs: Properties) -> None:
        place = {} if account.region == WITHOUT_CONSTRAINT else {"LocationConstraint": account.region}
        arguments: dict[str, Any] = {"CreateBucketConfiguration": place} if place else {}
        if inputs.get("objectLockEnabled"):
            arguments["ObjectLockEnabledForBucket"] = True
        try:
            patiently(lambda: s3.create_bucket(Bucket=name, **arguments))
        except Exception as error:
            if code_of(error) != "BucketAlreadyExists":
                raise
            raise ProviderError(
                f'bucket "{name}" exists already in another AWS account (BucketAlreadyExists): names of buckets are '
                "those of all accounts together. Give this one another name, for instance with a prefix of your own"
            ) from None

    def _tag(self, account: Account, s3: Client, name: str, inputs: Properties) -> None:
        tags = inputs.get("tags")
        with account.calling(f'bucket "{name}" cannot be tagged', "s3"):
            if tags:
                tagging = {"TagSet": tag_set(tags)}
                patiently(lambda: s3.put_bucket_tagging(Bucket=name, Tagging=tagging, **account.owner), GONE)
            else:
                s3.delete_bucket_tagging(Bucket=name, **account.owner)

    def _tags(self, account: Account, s3: Client, name: str) -> dict[str, str]:
        answer = found(lambda: s3.get_bucket_tagging(Bucket=name, **account.owner), _ABSENT_TAGS)
        return tag_mapping(answer["TagSet"]) if answer else {}

    def _outputs(self, account: Account, inputs: Properties) -> Properties:
        name, region = inputs["bucket"], account.region
        return {
            **recorded_inputs({key: item for key, item in self.schema.items() if key not in _OLD}, inputs),
            **with_tags(inputs.get("tags")),
            "id": name,
            "arn": f"arn:{account.partition}:s3:::{name}",
            "bucketDomainName": f"{name}.s3.{account.dns_suffix}",
            "bucketPrefix": "",
            "bucketRegion": region,
            "bucketRegionalDomainName": f"{name}.s3.{region}.{account.dns_suffix}",
            "objectLockEnabled": bool(inputs.get("objectLockEnabled")),
            "region": region,
            "requestPayer": "BucketOwner",
        }
