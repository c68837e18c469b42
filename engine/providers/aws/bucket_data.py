"""What becomes of a bucket's objects: encryption, versions, lock, and the log of who asked for them."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from engine.providers.aws.account import Client
from engine.providers.aws.settings import BUCKET, OWNER, BucketSetting
from engine.providers.base import Properties
from engine.providers.bridge.schema import Attribute, Kind, OnChange, Schema

_ON: Final = OnChange.UPDATE


def _text(**more: Any) -> Attribute:
    return Attribute(kind=Kind.TEXT, on_change=_ON, **more)


class BucketVersioning(BucketSetting):
    what: ClassVar = "versioning"
    schema: ClassVar[Schema] = {
        **BUCKET,
        **OWNER,
        "mfa": _text(supported=False),
        "versioningConfiguration": Attribute(
            kind=Kind.OBJECT,
            required=True,
            on_change=_ON,
            fields={"mfaDelete": _text(computed=True, supported=False), "status": _text(required=True)},
        ),
    }

    def put(self, s3: Client, owner: Mapping[str, str], inputs: Properties) -> Any:
        status = inputs["versioningConfiguration"]["status"]
        if status == "Disabled":  # what a new bucket is; one that was versioned can only be suspended
            return None
        return s3.put_bucket_versioning(Bucket=inputs["bucket"], VersioningConfiguration={"Status": status}, **owner)

    def get(self, s3: Client, owner: Mapping[str, str], bucket: str) -> Properties:
        answer = s3.get_bucket_versioning(Bucket=bucket, **owner)
        status = answer.get("Status") or "Disabled"
        return {"versioningConfiguration": {"mfaDelete": answer.get("MFADelete", ""), "status": status}}

    def remove(self, s3: Client, owner: Mapping[str, str], bucket: str) -> Any:
        if not s3.get_bucket_versioning(Bucket=bucket, **owner).get("Status"):
            return None
        return s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"}, **owner)


_DEFAULT: Final = "applyServerSideEncryptionByDefault"


class BucketServerSideEncryptionConfiguration(BucketSetting):
    what: ClassVar = "the encryption"
    absent: ClassVar = ("ServerSideEncryptionConfigurationNotFoundError",)
    schema: ClassVar[Schema] = {
        **BUCKET,
        **OWNER,
        "rules": Attribute(
            kind=Kind.SET,
            required=True,
            on_change=_ON,
            fields={
                _DEFAULT: Attribute(
                    kind=Kind.OBJECT,
                    fields={"kmsMasterKeyId": _text(), "sseAlgorithm": _text(required=True)},
                ),
                "blockedEncryptionTypes": Attribute(kind=Kind.SET, computed=True, supported=False),
                "bucketKeyEnabled": Attribute(kind=Kind.BOOLEAN),
            },
        ),
    }

    def put(self, s3: Client, owner: Mapping[str, str], inputs: Properties) -> Any:
        rules = []
        for rule in inputs["rules"]:
            default = rule.get(_DEFAULT) or {}
            request = {"SSEAlgorithm": default.get("sseAlgorithm")}
            if default.get("kmsMasterKeyId"):
                request["KMSMasterKeyID"] = default["kmsMasterKeyId"]
            enabled = bool(rule.get("bucketKeyEnabled"))
            rules.append({"ApplyServerSideEncryptionByDefault": request, "BucketKeyEnabled": enabled})
        return s3.put_bucket_encryption(
            Bucket=inputs["bucket"], ServerSideEncryptionConfiguration={"Rules": rules}, **owner
        )

    def get(self, s3: Client, owner: Mapping[str, str], bucket: str) -> Properties:
        rules = s3.get_bucket_encryption(Bucket=bucket, **owner)["ServerSideEncryptionConfiguration"]["Rules"]
        found = []
        for rule in rules:
            default = rule.get("ApplyServerSideEncryptionByDefault") or {}
            algorithm, key = default.get("SSEAlgorithm", ""), default.get("KMSMasterKeyID", "")
            named = {"kmsMasterKeyId": key, "sseAlgorithm": algorithm}
            found.append({_DEFAULT: named, "bucketKeyEnabled": bool(rule.get("BucketKeyEnabled"))})
        return {"rules": found}

    def remove(self, s3: Client, owner: Mapping[str, str], bucket: str) -> Any:
        return s3.delete_bucket_encryption(Bucket=bucket, **owner)


class BucketLogging(BucketSetting):
    what: ClassVar = "the access log"
    conflicting: ClassVar = ("InvalidTargetBucketForLogging",)
    schema: ClassVar[Schema] = {
        **BUCKET,
        **OWNER,
        "targetBucket": _text(required=True),
        "targetGrants": Attribute(kind=Kind.SET, supported=False),
        "targetObjectKeyFormat": Attribute(kind=Kind.OBJECT, supported=False, fields={}),
        "targetPrefix": _text(required=True),
    }

    def put(self, s3: Client, owner: Mapping[str, str], inputs: Properties) -> Any:
        target = {"TargetBucket": inputs["targetBucket"], "TargetPrefix": inputs["targetPrefix"]}
        return s3.put_bucket_logging(Bucket=inputs["bucket"], BucketLoggingStatus={"LoggingEnabled": target}, **owner)

    def get(self, s3: Client, owner: Mapping[str, str], bucket: str) -> Properties | None:
        target = s3.get_bucket_logging(Bucket=bucket, **owner).get("LoggingEnabled")
        if not target:
            return None
        return {"targetBucket": target["TargetBucket"], "targetPrefix": target.get("TargetPrefix", "")}

    def remove(self, s3: Client, owner: Mapping[str, str], bucket: str) -> Any:
        return s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={}, **owner)


class BucketObjectLockConfiguration(BucketSetting):
    what: ClassVar = "the object lock"
    absent: ClassVar = ("ObjectLockConfigurationNotFoundError",)
    # A bucket takes a lock only after its versioning.
    conflicting: ClassVar = ("InvalidBucketState",)
    schema: ClassVar[Schema] = {
        **BUCKET,
        **OWNER,
        "objectLockEnabled": Attribute(kind=Kind.TEXT, default="Enabled"),
        "rule": Attribute(
            kind=Kind.OBJECT,
            on_change=_ON,
            fields={
                "defaultRetention": Attribute(
                    kind=Kind.OBJECT,
                    fields={
                        "days": Attribute(kind=Kind.INTEGER),
                        "mode": _text(required=True),
                        "years": Attribute(kind=Kind.INTEGER),
                    },
                )
            },
        ),
        "token": _text(supported=False),
    }

    def put(self, s3: Client, owner: Mapping[str, str], inputs: Properties) -> Any:
        lock: dict[str, Any] = {"ObjectLockEnabled": "Enabled"}
        if retention := (inputs.get("rule") or {}).get("defaultRetention"):
            times = {name.capitalize(): retention[name] for name in ("days", "years") if retention.get(name)}
            lock["Rule"] = {"DefaultRetention": {"Mode": retention["mode"], **times}}
        return s3.put_object_lock_configuration(Bucket=inputs["bucket"], ObjectLockConfiguration=lock, **owner)

    def get(self, s3: Client, owner: Mapping[str, str], bucket: str) -> Properties:
        lock = s3.get_object_lock_configuration(Bucket=bucket, **owner)["ObjectLockConfiguration"]
        live: Properties = {"objectLockEnabled": lock.get("ObjectLockEnabled", ""), "rule": None}
        if retention := (lock.get("Rule") or {}).get("DefaultRetention"):
            times = {name: retention.get(name.capitalize()) or 0 for name in ("days", "years")}
            live["rule"] = {"defaultRetention": {"mode": retention["Mode"], **times}}
        return live

    def remove(self, s3: Client, owner: Mapping[str, str], bucket: str) -> Any:
        """The lock itself stays with a bucket for ever; what ends is the time that new objects get."""
        return s3.put_object_lock_configuration(
            Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}, **owner
        )
