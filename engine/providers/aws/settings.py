"""The resources of package s3 that set one thing of a bucket. Their id is the bucket's name."""

from collections.abc import Mapping
from typing import Any, ClassVar

from engine.providers.aws.account import Account, Client, found, patiently
from engine.providers.aws.bucket import GONE
from engine.providers.aws.resource import REGION
from engine.providers.base import Call, Old, Properties
from engine.providers.bridge.plan import recorded_inputs
from engine.providers.bridge.schema import Attribute, Kind, OnChange, Schema

BUCKET: Schema = {"bucket": Attribute(kind=Kind.TEXT, required=True), **REGION}
# What earlier versions of the official provider took; the provider's own account is asked for in every request.
OWNER: Schema = {"expectedBucketOwner": Attribute(kind=Kind.TEXT, supported=False)}


class BucketSetting:
    """Subclasses say how the setting is put, got and removed, in the words of a boto3 client.

    `put` takes the inputs; `get` returns the same properties as they are now, and raises a ClientError with one of the
    codes `absent` where the bucket has none; `remove` brings back what a bucket without the setting has.
    """

    framework: ClassVar[bool] = False
    schema: ClassVar[Schema]
    what: ClassVar[str]  # in messages
    absent: ClassVar[tuple[str, ...]] = ()
    conflicting: ClassVar[tuple[str, ...]] = ()  # codes that end when AWS knows of what was made just before

    def put(self, s3: Client, owner: Mapping[str, str], inputs: Properties) -> Any:
        raise NotImplementedError

    def get(self, s3: Client, owner: Mapping[str, str], bucket: str) -> Properties | None:
        raise NotImplementedError

    def remove(self, s3: Client, owner: Mapping[str, str], bucket: str) -> Any:
        raise NotImplementedError

    def create(self, account: Account, call: Call, inputs: Properties) -> tuple[str, Properties]:
        """A put replaces whatever is there: a bucket has one setting of a kind."""
        bucket, s3 = inputs["bucket"], account.client("s3")
        with account.calling(f'{self.what} of bucket "{bucket}" cannot be set', "s3"):
            patiently(lambda: self.put(s3, account.owner, inputs), (*GONE, *self.conflicting))
        return bucket, self._outputs(account, inputs)

    def read(self, account: Account, call: Call, old: Old) -> Old | None:
        s3 = account.client("s3")
        with account.calling(f'{self.what} of bucket "{old.id}" cannot be read', "s3"):
            live = found(lambda: self.get(s3, account.owner, old.id), *GONE, *self.absent)
        if live is None:
            return None
        return Old(old.id, old.inputs, self._outputs(account, {**old.inputs, "bucket": old.id, **live}))

    def update(self, account: Account, call: Call, old: Old, inputs: Properties) -> Properties:
        s3 = account.client("s3")
        with account.calling(f'{self.what} of bucket "{old.id}" cannot be changed', "s3"):
            patiently(lambda: self.put(s3, account.owner, inputs), self.conflicting)
        return self._outputs(account, inputs)

    def delete(self, account: Account, call: Call, old: Old) -> None:
        s3 = account.client("s3")
        with account.calling(f'{self.what} of bucket "{old.id}" cannot be removed', "s3"):
            found(lambda: patiently(lambda: self.remove(s3, account.owner, old.id)), *GONE, *self.absent)

    def _outputs(self, account: Account, inputs: Properties) -> Properties:
        return {**recorded_inputs(self.schema, inputs), "id": inputs["bucket"], "region": account.region}


def texts(on_change: OnChange = OnChange.UPDATE) -> Attribute:
    """A list of texts without an order."""
    return Attribute(kind=Kind.SET, on_change=on_change)
