"""One example of each resource type, how it changes, and what somebody may do to it by hand."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.engine.aws.conftest import BUCKET, KEY, TAGS, USER, Bench, setting
from tests.moto_server import ACCOUNT, Moto

NAME = "strata-test-files"
DOCUMENT = {"Version": "2012-10-17"}


def policy(*actions: str, **more: Any) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": f"arn:aws:s3:::{NAME}/*", **more}
    return json.dumps({**DOCUMENT, "Statement": [statement]})


def trust(account: str) -> str:
    principal = {"AWS": f"arn:aws:iam::{account}:root"}
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    return json.dumps({**DOCUMENT, "Statement": [statement]})


KEY_POLICY = json.dumps(
    {
        **DOCUMENT,
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }
)
OTHER_KEY_POLICY = KEY_POLICY.replace('"kms:*"', '["kms:Describe*", "kms:Put*"]')
WHOLE = {"Service": "logging.s3.amazonaws.com"}


@dataclass(frozen=True)
class Case:
    """`before` makes what the inputs refer to; `disturb` is what somebody does to it by hand."""

    type: str
    inputs: dict[str, Any]
    change: dict[str, Any]
    disturb: Callable[[Moto], Any]
    before: Callable[[Bench], Any] = lambda bench: bench.bucket()

    def __str__(self) -> str:
        return self.type.rpartition(":")[2]


def _rule(days: int) -> dict[str, Any]:
    return {
        "id": "old",
        "status": "Enabled",
        "filter": {"prefix": ""},
        "noncurrentVersionExpiration": {"noncurrentDays": days},
        "expiration": {"expiredObjectDeleteMarker": True},
        "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
        "transitions": [{"days": 30, "storageClass": "STANDARD_IA"}],
    }


def _logs(bench: Bench) -> None:
    bench.bucket()
    bench.bucket("strata-test-logs")
    allowed = {"Action": "s3:PutObject", "Resource": "arn:aws:s3:::strata-test-logs/*", "Principal": WHOLE}
    bench.create(
        setting("BucketPolicy"),
        bucket="strata-test-logs",
        policy=json.dumps({**DOCUMENT, "Statement": [{"Effect": "Allow", **allowed}]}),
    )


def _locked(bench: Bench) -> None:
    bench.bucket(objectLockEnabled=True)


def _user(bench: Bench) -> None:
    bench.create(USER, name="app", tags=TAGS)


def _role(bench: Bench) -> None:
    bench.create("aws:iam/role:Role", name="app", assumeRolePolicy=trust(ACCOUNT), tags=TAGS)


def _encryption(algorithm: str, **more: Any) -> dict[str, Any]:
    default = {"sseAlgorithm": algorithm, **more}
    return {"rules": [{"applyServerSideEncryptionByDefault": default, "bucketKeyEnabled": algorithm != "AES256"}]}


def _cors(origin: str) -> dict[str, Any]:
    return {"corsRules": [{"allowedMethods": ["GET"], "allowedOrigins": [origin], "maxAgeSeconds": 60}]}


def _lock(days: int) -> dict[str, Any]:
    return {"rule": {"defaultRetention": {"mode": "GOVERNANCE", "days": days}}}


def _blocks(on: bool) -> dict[str, bool]:
    return dict.fromkeys(("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), on)


CASES = [
    Case(
        BUCKET,
        {"bucket": NAME, "tags": TAGS},
        {"tags": {**TAGS, "more": "yes"}},
        lambda moto: moto.client("s3").put_bucket_tagging(Bucket=NAME, Tagging={"TagSet": []}),
        before=lambda bench: None,
    ),
    Case(
        setting("BucketPolicy"),
        {"bucket": NAME, "policy": policy("s3:GetObject", Principal={"AWS": ACCOUNT})},
        {"policy": policy("s3:GetObject", "s3:PutObject", Principal={"AWS": ACCOUNT})},
        lambda moto: moto.client("s3").put_bucket_policy(Bucket=NAME, Policy=policy("s3:*", Principal="*")),
    ),
    Case(
        setting("BucketPublicAccessBlock"),
        {"bucket": NAME, **_blocks(True)},
        {"blockPublicPolicy": False},
        lambda moto: moto.client("s3").put_public_access_block(
            Bucket=NAME, PublicAccessBlockConfiguration={"BlockPublicAcls": True}
        ),
    ),
    Case(
        setting("BucketOwnershipControls"),
        {"bucket": NAME, "rule": {"objectOwnership": "BucketOwnerEnforced"}},
        {"rule": {"objectOwnership": "BucketOwnerPreferred"}},
        lambda moto: moto.client("s3").put_bucket_ownership_controls(
            Bucket=NAME, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
        ),
    ),
    Case(
        setting("BucketVersioning"),
        {"bucket": NAME, "versioningConfiguration": {"status": "Enabled"}},
        {"versioningConfiguration": {"status": "Suspended"}},
        lambda moto: moto.client("s3").put_bucket_versioning(
            Bucket=NAME, VersioningConfiguration={"Status": "Suspended"}
        ),
    ),
    Case(
        setting("BucketServerSideEncryptionConfiguration"),
        {"bucket": NAME, **_encryption("aws:kms", kmsMasterKeyId=f"arn:aws:kms:us-west-2:{ACCOUNT}:key/1")},
        _encryption("AES256"),
        lambda moto: moto.client("s3").put_bucket_encryption(
            Bucket=NAME,
            ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            },
        ),
    ),
    Case(
        setting("BucketLifecycleConfiguration"),
        {"bucket": NAME, "rules": [_rule(30), {**_rule(1), "id": "checks", "filter": {"prefix": "strata-smoke/"}}]},
        {"rules": [_rule(90)]},
        lambda moto: moto.client("s3").put_bucket_lifecycle_configuration(
            Bucket=NAME,
            LifecycleConfiguration={
                "Rules": [{"ID": "all", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]
            },
        ),
    ),
    Case(
        setting("BucketLogging"),
        {"bucket": NAME, "targetBucket": "strata-test-logs", "targetPrefix": f"{NAME}/"},
        {"targetPrefix": "other/"},
        lambda moto: moto.client("s3").put_bucket_logging(Bucket=NAME, BucketLoggingStatus={}),
        before=_logs,
    ),
    Case(
        setting("BucketCorsConfiguration"),
        {"bucket": NAME, **_cors("https://app.example.org")},
        _cors("https://other.example.org"),
        lambda moto: moto.client("s3").put_bucket_cors(
            Bucket=NAME, CORSConfiguration={"CORSRules": [{"AllowedMethods": ["PUT"], "AllowedOrigins": ["*"]}]}
        ),
    ),
    Case(
        setting("BucketObjectLockConfiguration"),
        {"bucket": NAME, **_lock(30)},
        _lock(60),
        lambda moto: moto.client("s3").put_object_lock_configuration(
            Bucket=NAME,
            ObjectLockConfiguration={
                "ObjectLockEnabled": "Enabled",
                "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}},
            },
        ),
        before=_locked,
    ),
    Case(
        KEY,
        {"description": "files", "enableKeyRotation": True, "policy": KEY_POLICY, "tags": TAGS},
        {"description": "all files", "policy": OTHER_KEY_POLICY, "tags": {**TAGS, "more": "yes"}},
        lambda moto: moto.client("kms").disable_key_rotation(KeyId=_one_key(moto)),
        before=lambda bench: None,
    ),
    Case(
        USER,
        {"name": "app", "path": "/strata/", "tags": TAGS},
        {"path": "/strata/test/", "tags": {**TAGS, "more": "yes"}},
        lambda moto: moto.client("iam").untag_user(UserName="app", TagKeys=list(TAGS)),
        before=lambda bench: None,
    ),
    Case(
        "aws:iam/userPolicy:UserPolicy",
        {"name": "objects", "user": "app", "policy": policy("s3:GetObject")},
        {"policy": policy("s3:GetObject", "s3:PutObject")},
        lambda moto: moto.client("iam").put_user_policy(
            UserName="app", PolicyName="objects", PolicyDocument=policy("s3:*")
        ),
        before=_user,
    ),
    Case(
        "aws:iam/accessKey:AccessKey",
        {"user": "app"},
        {"status": "Inactive"},
        lambda moto: moto.client("iam").update_access_key(
            UserName="app", AccessKeyId=_one_access_key(moto), Status="Inactive"
        ),
        before=_user,
    ),
    Case(
        "aws:iam/role:Role",
        {"name": "app", "assumeRolePolicy": trust(ACCOUNT), "description": "files", "tags": TAGS},
        {"description": "all files", "maxSessionDuration": 7200},
        lambda moto: moto.client("iam").update_assume_role_policy(RoleName="app", PolicyDocument=trust("111122223333")),
        before=lambda bench: None,
    ),
    Case(
        "aws:iam/rolePolicy:RolePolicy",
        {"name": "objects", "role": "app", "policy": policy("s3:GetObject")},
        {"policy": policy("s3:GetObject", "s3:PutObject")},
        lambda moto: moto.client("iam").put_role_policy(
            RoleName="app", PolicyName="objects", PolicyDocument=policy("s3:*")
        ),
        before=_role,
    ),
]


def _one_key(moto: Moto) -> str:
    (key,) = moto.client("kms").list_keys()["Keys"]
    return str(key["KeyId"])


def _one_access_key(moto: Moto) -> str:
    (key,) = moto.client("iam").list_access_keys(UserName="app")["AccessKeyMetadata"]
    return str(key["AccessKeyId"])
