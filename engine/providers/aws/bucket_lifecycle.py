"""aws:s3/bucketLifecycleConfiguration: when objects move to cheaper storage, and when they end."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from engine.providers.aws.account import Client
from engine.providers.aws.settings import BUCKET, OWNER, BucketSetting
from engine.providers.base import Properties
from engine.providers.bridge.schema import Attribute, Kind, OnChange, Schema

_ON: Final = OnChange.UPDATE
# Property → the API's word, for the parts of a rule; a nested mapping is a part with parts of its own.
_EXPIRATION: Final = {"date": "Date", "days": "Days", "expiredObjectDeleteMarker": "ExpiredObjectDeleteMarker"}
_NONCURRENT: Final = {"newerNoncurrentVersions": "NewerNoncurrentVersions", "noncurrentDays": "NoncurrentDays"}
_TRANSITION: Final = {"date": "Date", "days": "Days", "storageClass": "StorageClass"}
_SMALLEST: Final = "all_storage_classes_128K"  # AWS' own default: smaller objects cost less where they are
_ABORT: Final = {"daysAfterInitiation": "DaysAfterInitiation"}


def _number() -> Attribute:
    return Attribute(kind=Kind.INTEGER, on_change=_ON)


def _text(**more: Any) -> Attribute:
    return Attribute(kind=Kind.TEXT, on_change=_ON, **more)


def _object(fields: Schema, **more: Any) -> Attribute:
    return Attribute(kind=Kind.OBJECT, on_change=_ON, fields=fields, **more)


_RULE: Final[Schema] = {
    "abortIncompleteMultipartUpload": _object({"daysAfterInitiation": _number()}),
    "expiration": _object(
        {
            "date": _text(),
            "days": _number(),
            "expiredObjectDeleteMarker": Attribute(kind=Kind.BOOLEAN, on_change=_ON),
        }
    ),
    "filter": _object({"prefix": _text()}),
    "id": _text(required=True),
    "noncurrentVersionExpiration": _object({"newerNoncurrentVersions": _number(), "noncurrentDays": _number()}),
    "noncurrentVersionTransitions": Attribute(kind=Kind.SET, supported=False, on_change=_ON),
    "prefix": _text(computed=True, supported=False),
    "status": _text(required=True),
    "transitions": Attribute(
        kind=Kind.SET,
        on_change=_ON,
        fields={"date": _text(), "days": _number(), "storageClass": _text(required=True)},
    ),
}


class BucketLifecycleConfiguration(BucketSetting):
    framework: ClassVar[bool] = True
    what: ClassVar = "the lifecycle"
    absent: ClassVar = ("NoSuchLifecycleConfiguration",)
    schema: ClassVar[Schema] = {
        **BUCKET,
        **OWNER,
        "rules": Attribute(kind=Kind.SET, required=True, on_change=_ON, fields=_RULE),
        "timeouts": Attribute(kind=Kind.OBJECT, supported=False, on_change=OnChange.RECORD),
        "transitionDefaultMinimumObjectSize": _text(default=_SMALLEST),
    }

    def put(self, s3: Client, owner: Mapping[str, str], inputs: Properties) -> Any:
        smallest = inputs.get("transitionDefaultMinimumObjectSize")
        more = {"TransitionDefaultMinimumObjectSize": smallest} if smallest else {}
        rules = [_request(rule) for rule in inputs["rules"]]
        return s3.put_bucket_lifecycle_configuration(
            Bucket=inputs["bucket"], LifecycleConfiguration={"Rules": rules}, **more, **owner
        )

    def get(self, s3: Client, owner: Mapping[str, str], bucket: str) -> Properties:
        answer = s3.get_bucket_lifecycle_configuration(Bucket=bucket, **owner)
        live = {"rules": [_found(rule) for rule in answer["Rules"]]}
        if smallest := answer.get("TransitionDefaultMinimumObjectSize"):
            live["transitionDefaultMinimumObjectSize"] = smallest
        return live

    def remove(self, s3: Client, owner: Mapping[str, str], bucket: str) -> Any:
        return s3.delete_bucket_lifecycle(Bucket=bucket, **owner)


def _request(rule: Mapping[str, Any]) -> dict[str, Any]:
    request: dict[str, Any] = {
        "ID": rule["id"],
        "Status": rule["status"],
        "Filter": {"Prefix": (rule.get("filter") or {}).get("prefix") or ""},
    }
    for name, word, parts in (
        ("abortIncompleteMultipartUpload", "AbortIncompleteMultipartUpload", _ABORT),
        ("expiration", "Expiration", _EXPIRATION),
        ("noncurrentVersionExpiration", "NoncurrentVersionExpiration", _NONCURRENT),
    ):
        if part := _said(rule.get(name) or {}, parts):
            request[word] = part
    if transitions := rule.get("transitions"):
        request["Transitions"] = [_said(each, _TRANSITION) for each in transitions]
    return request


def _found(rule: Mapping[str, Any]) -> Properties:
    prefix = (rule.get("Filter") or {}).get("Prefix", rule.get("Prefix", ""))
    return {
        "id": rule["ID"],
        "status": rule["Status"],
        "filter": {"prefix": prefix},
        "abortIncompleteMultipartUpload": _read(rule.get("AbortIncompleteMultipartUpload"), _ABORT),
        "expiration": _read(rule.get("Expiration"), _EXPIRATION),
        "noncurrentVersionExpiration": _read(rule.get("NoncurrentVersionExpiration"), _NONCURRENT),
        "transitions": [_read(each, _TRANSITION) for each in rule.get("Transitions") or ()],
    }


def _said(given: Mapping[str, Any], parts: Mapping[str, str]) -> dict[str, Any]:
    return {word: given[name] for name, word in parts.items() if given.get(name) not in (None, "", 0, False)}


def _read(given: Mapping[str, Any] | None, parts: Mapping[str, str]) -> Properties | None:
    if not given:
        return None
    return {name: _plain(given[word]) for name, word in parts.items() if word in given}


def _plain(value: Any) -> Any:
    """A date as its text, since properties are JSON."""
    return value.isoformat() if hasattr(value, "isoformat") else value
