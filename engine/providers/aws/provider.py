"""The AWS provider: which resource types there are, and their dispatch."""

from collections.abc import Mapping
from typing import Any, Final

from engine.providers.aws.account import Account
from engine.providers.aws.bucket import Bucket
from engine.providers.aws.bucket_access import (
    BucketCorsConfiguration,
    BucketOwnershipControls,
    BucketPolicy,
    BucketPublicAccessBlock,
)
from engine.providers.aws.bucket_data import (
    BucketLogging,
    BucketObjectLockConfiguration,
    BucketServerSideEncryptionConfiguration,
    BucketVersioning,
)
from engine.providers.aws.bucket_lifecycle import BucketLifecycleConfiguration
from engine.providers.aws.configuration import Configuration
from engine.providers.aws.iam_role import Role, RolePolicy
from engine.providers.aws.iam_user import AccessKey, User, UserPolicy
from engine.providers.aws.kms_alias import Alias
from engine.providers.aws.kms_key import Key
from engine.providers.aws.resource import Resource, tag_failures
from engine.providers.base import Call, CheckFailed, Diff, Old, Properties, ProviderError, Unsupported
from engine.providers.bridge.plan import comparable, plan
from engine.providers.bridge.schema import DEFAULTS, Attribute, check

TYPES: Final[Mapping[str, Resource]] = {
    "aws:iam/accessKey:AccessKey": AccessKey(),
    "aws:iam/role:Role": Role(),
    "aws:iam/rolePolicy:RolePolicy": RolePolicy(),
    "aws:iam/user:User": User(),
    "aws:iam/userPolicy:UserPolicy": UserPolicy(),
    "aws:kms/alias:Alias": Alias(),
    "aws:kms/key:Key": Key(),
    "aws:s3/bucket:Bucket": Bucket(),
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": BucketCorsConfiguration(),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": BucketLifecycleConfiguration(),
    "aws:s3/bucketLogging:BucketLogging": BucketLogging(),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": BucketObjectLockConfiguration(),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": BucketOwnershipControls(),
    "aws:s3/bucketPolicy:BucketPolicy": BucketPolicy(),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": BucketPublicAccessBlock(),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        BucketServerSideEncryptionConfiguration()
    ),
    "aws:s3/bucketVersioning:BucketVersioning": BucketVersioning(),
}
_CALLER: Final = "aws:index/getCallerIdentity:getCallerIdentity"
_PARTITION: Final = "aws:index/getPartition:getPartition"
_REGION: Final = "aws:index/getRegion:getRegion"


class AwsProvider:
    """`check` and `diff` ask nobody. `configure` asks whose the credentials are, before anything is changed."""

    def __init__(self) -> None:
        self._account: Account | None = None

    def configure(self, config: Mapping[str, Any]) -> None:
        """Raises ProviderError without credentials, or with those of an account that the settings do not allow."""
        self._account = Account(Configuration.of(config))

    def check(self, call: Call, old_inputs: Properties | None, inputs: Properties) -> Properties:
        resource = _resource(call.type)
        checked = check(resource.schema, call, old_inputs, inputs)
        if failures := list(tag_failures(checked.get("tags"))):
            raise CheckFailed(failures)
        return _without_notes(checked) if resource.framework else checked

    def diff(self, call: Call, old: Old, inputs: Properties) -> Diff:
        # Two of one name cannot be at the same time. A key has none, and a setting's place is its bucket's name.
        names = [name for name in ("bucket", "name") if name in inputs]
        stays = bool(names) and all(inputs[name] == old.outputs.get(name) for name in names)
        return plan(_resource(call.type).schema, call, old, inputs, delete_before_replace=stays)

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        return _resource(call.type).create(self._connected, call, inputs)

    def read(self, call: Call, old: Old) -> Old | None:
        """What means the same as before, a policy in AWS' spelling for instance, is recorded as before."""
        resource = _resource(call.type)
        live = resource.read(self._connected, call, old)
        if live is None:
            return None
        kept = {name: old.outputs[name] for name in resource.schema if name in old.outputs}
        same = {name: text for name, text in kept.items() if _same(resource.schema[name], text, live.outputs.get(name))}
        return Old(live.id, live.inputs, {**live.outputs, **same})

    def update(self, call: Call, old: Old, inputs: Properties) -> Properties:
        return _resource(call.type).update(self._connected, call, old, inputs)

    def delete(self, call: Call, old: Old) -> None:
        _resource(call.type).delete(self._connected, call, old)

    def invoke(self, token: str, args: Properties) -> Properties:
        account = self._connected
        if token == _CALLER:
            caller = account.caller()
            names = {"accountId": "Account", "arn": "Arn", "userId": "UserId"}
            return {"id": caller["Account"], **{name: caller[key] for name, key in names.items()}}
        if token == _PARTITION:
            suffix = account.dns_suffix
            reverse = ".".join(reversed(suffix.split(".")))
            return {
                "id": account.partition,
                "partition": account.partition,
                "dnsSuffix": suffix,
                "reverseDnsPrefix": reverse,
            }
        if token == _REGION:
            return {"id": account.region, "name": account.region, "region": account.region}
        raise Unsupported(f"aws function {token} is not carried out by this engine")

    def close(self) -> None:
        if self._account is not None:
            self._account.close()
        self._account = None

    @property
    def _connected(self) -> Account:
        if self._account is None:
            raise ProviderError("the AWS provider is not configured")
        return self._account


def _same(attribute: Attribute, one: Any, other: Any) -> bool:
    return bool(comparable(attribute, one) == comparable(attribute, other))


def _without_notes(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_notes(item) for key, item in value.items() if key != DEFAULTS}
    return [_without_notes(item) for item in value] if isinstance(value, list) else value


def _resource(type: str) -> Resource:
    try:
        return TYPES[type]
    except KeyError:
        raise Unsupported(
            f"{type} is not carried out by this engine; of package aws there are "
            f"{', '.join(sorted(name.rpartition(':')[2] for name in TYPES))}. Use the official pulumi CLI for a "
            "program that needs it"
        ) from None
