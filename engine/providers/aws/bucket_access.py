"""Who reaches a bucket: its policy, the blocks of public access, its owner, and other sites' pages (CORS)."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from engine.providers.aws.account import Client
from engine.providers.aws.documents import canonical, is_policy
from engine.providers.aws.settings import BUCKET, OWNER, BucketSetting, texts
from engine.providers.base import Properties
from engine.providers.bridge.schema import Attribute, Kind, OnChange, Schema

_BLOCKS: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_ON: Final = OnChange.UPDATE
_CORS: Final = {
    "allowedHeaders": "AllowedHeaders",
    "allowedMethods": "AllowedMethods",
    "allowedOrigins": "AllowedOrigins",
    "exposeHeaders": "ExposeHeaders",
}


class BucketPolicy(BucketSetting):
    what: ClassVar = "the policy"
    absent: ClassVar = ("NoSuchBucketPolicy",)
    schema: ClassVar[Schema] = {
        **BUCKET,
        "policy": Attribute(kind=Kind.TEXT, required=True, on_change=_ON, rule=is_policy, spelling=canonical),
    }

    def put(self, s3: Client, owner: Mapping[str, str], inputs: Properties) -> Any:
        return s3.put_bucket_policy(Bucket=inputs["bucket"], Policy=inputs["policy"], **owner)

    def get(self, s3: Client, owner: Mapping[str, str], bucket: str) -> Properties:
        return {"policy": s3.get_bucket_policy(Bucket=bucket, **owner)["Policy"]}

    def remove(self, s3: Client, owner: Mapping[str, str], bucket: str) -> Any:
        return s3.delete_bucket_policy(Bucket=bucket, **owner)


class BucketPublicAccessBlock(BucketSetting):
    what: ClassVar = "the block of public access"
    absent: ClassVar = ("NoSuchPublicAccessBlockConfiguration",)
    schema: ClassVar[Schema] = {
        **BUCKET,
        **{name: Attribute(kind=Kind.BOOLEAN, on_change=_ON) for name in _BLOCKS},
        "skipDestroy": Attribute(kind=Kind.BOOLEAN, supported=False, on_change=OnChange.RECORD),
    }

    def put(self, s3: Client, owner: Mapping[str, str], inputs: Properties) -> Any:
        blocks = {_capital(name): bool(inputs.get(name)) for name in _BLOCKS}
        return s3.put_public_access_block(Bucket=inputs["bucket"], PublicAccessBlockConfiguration=blocks, **owner)

    def get(self, s3: Client, owner: Mapping[str, str], bucket: str) -> Properties:
        blocks = s3.get_public_access_block(Bucket=bucket, **owner)["PublicAccessBlockConfiguration"]
        return {name: bool(blocks.get(_capital(name))) for name in _BLOCKS}

    def remove(self, s3: Client, owner: Mapping[str, str], bucket: str) -> Any:
        return s3.delete_public_access_block(Bucket=bucket, **owner)


class BucketOwnershipControls(BucketSetting):
    what: ClassVar = "the ownership"
    absent: ClassVar = ("OwnershipControlsNotFoundError",)
    schema: ClassVar[Schema] = {
        **BUCKET,
        "rule": Attribute(
            kind=Kind.OBJECT,
            required=True,
            on_change=_ON,
            fields={"objectOwnership": Attribute(kind=Kind.TEXT, required=True)},
        ),
    }

    def put(self, s3: Client, owner: Mapping[str, str], inputs: Properties) -> Any:
        rules = [{"ObjectOwnership": inputs["rule"]["objectOwnership"]}]
        return s3.put_bucket_ownership_controls(Bucket=inputs["bucket"], OwnershipControls={"Rules": rules}, **owner)

    def get(self, s3: Client, owner: Mapping[str, str], bucket: str) -> Properties:
        rules = s3.get_bucket_ownership_controls(Bucket=bucket, **owner)["OwnershipControls"]["Rules"]
        return {"rule": {"objectOwnership": rules[0]["ObjectOwnership"]}}

    def remove(self, s3: Client, owner: Mapping[str, str], bucket: str) -> Any:
        return s3.delete_bucket_ownership_controls(Bucket=bucket, **owner)


class BucketCorsConfiguration(BucketSetting):
    what: ClassVar = "CORS"
    absent: ClassVar = ("NoSuchCORSConfiguration",)
    schema: ClassVar[Schema] = {
        **BUCKET,
        **OWNER,
        "corsRules": Attribute(
            kind=Kind.SET,
            required=True,
            on_change=_ON,
            fields={
                "id": Attribute(kind=Kind.TEXT),
                "maxAgeSeconds": Attribute(kind=Kind.INTEGER),
                **{name: texts() for name in _CORS},
            },
        ),
    }

    def put(self, s3: Client, owner: Mapping[str, str], inputs: Properties) -> Any:
        rules = [_cors_request(rule) for rule in inputs["corsRules"]]
        return s3.put_bucket_cors(Bucket=inputs["bucket"], CORSConfiguration={"CORSRules": rules}, **owner)

    def get(self, s3: Client, owner: Mapping[str, str], bucket: str) -> Properties:
        rules = s3.get_bucket_cors(Bucket=bucket, **owner)["CORSRules"]
        return {
            "corsRules": [
                {
                    "id": rule.get("ID", ""),
                    "maxAgeSeconds": rule.get("MaxAgeSeconds"),
                    **{name: list(rule.get(spelled) or ()) for name, spelled in _CORS.items()},
                }
                for rule in rules
            ]
        }

    def remove(self, s3: Client, owner: Mapping[str, str], bucket: str) -> Any:
        return s3.delete_bucket_cors(Bucket=bucket, **owner)


def _cors_request(rule: Mapping[str, Any]) -> dict[str, Any]:
    request: dict[str, Any] = {spelled: rule[name] for name, spelled in _CORS.items() if rule.get(name)}
    if rule.get("id"):
        request["ID"] = rule["id"]
    if rule.get("maxAgeSeconds") is not None:
        request["MaxAgeSeconds"] = rule["maxAgeSeconds"]
    return request


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]
