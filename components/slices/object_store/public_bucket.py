"""Anybody may read the objects of a bucket whose names they know; nobody may list or change them."""

import json
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi.dynamic import CheckFailure, Resource

from components.slices.admin import Address, AdminRef
from components.slices.object_store.connection import bucket_problems, canonical, connect, if_there
from components.slices.resource import Props, SliceProvider, inputs_of


@dataclass(frozen=True, kw_only=True)
class PublicBucketArgs:
    """`bucket` exists already."""

    admin: AdminRef
    identity: pulumi.Input[str]
    bucket: pulumi.Input[str]


class PublicBucketProvider(SliceProvider):
    """The bucket's whole policy. It is access, so it ends with its resource while the objects stay."""

    replacing: ClassVar = ("bucket",)

    def failures(self, olds: Props, news: Props) -> list[CheckFailure]:
        return bucket_problems("bucket", news["bucket"])

    def drifted(self, olds: Props, news: Props) -> bool:
        return isinstance(news["bucket"], str) and olds.get("policy") != canonical(_policy(news["bucket"]))

    def identifier(self, props: Props) -> str:
        return str(props["bucket"])

    def apply(self, props: Props, olds: Props | None = None) -> Props:

        with connect(Address.of(props)) as connection:
            connection.s3.set_bucket_policy(props["bucket"], json.dumps(_policy(props["bucket"])))
        return {"policy": canonical(_policy(props["bucket"]))}

    def live(self, props: Props) -> Props | None:
        with connect(Address.of(props)) as connection:
            policy = connection.bucket_policy(props["bucket"])
        return None if policy is None else {"policy": canonical(policy)}

    def delete(self, id_: str, props: Props) -> None:
        """End anonymous access. The bucket may be gone already."""
        with connect(Address.of(props)) as connection:
            if_there(connection.s3.delete_bucket_policy, props["bucket"])


class PublicBucket(Resource, module="strata", name="PublicBucket"):
    """Anonymous reading of one bucket."""

    bucket: pulumi.Output[str]

    def __init__(self, name: str, args: PublicBucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(PublicBucketProvider(), name, inputs_of(args, "policy"), opts)


def _policy(bucket: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": ["*"]},
                "Action": ["s3:GetObject"],
                "Resource": [f"arn:aws:s3:::{bucket}/*"],
            }
        ],
    }
