"""aws:kms/key:Key. What a key has encrypted can't be read without it: none is deleted at once."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Final

from engine.providers.aws.account import Account, Client, found, patiently
from engine.providers.aws.documents import canonical, is_policy
from engine.providers.aws.failures import code_of
from engine.providers.aws.resource import REGION, TAG_ATTRIBUTES, carries, tag_mapping, tag_set, with_tags
from engine.providers.base import Call, Old, PartialFailure, Properties, ProviderError
from engine.providers.bridge.plan import recorded_inputs
from engine.providers.bridge.schema import Attribute, Kind, OnChange, Schema

GONE: Final = "NotFoundException"
TO_BE_DELETED: Final = ("PendingDeletion", "PendingReplicaDeletion")
_DELETED_ALREADY: Final = "KMSInvalidStateException"
LONGEST: Final = 30  # days until a key is deleted
DEFAULT: Final = "default"  # the one policy that a key has
_ON: Final = OnChange.UPDATE


def _window(value: int) -> str | None:
    return None if 7 <= value <= LONGEST else f"{value} is not between 7 and {LONGEST}"


def _period(value: int) -> str | None:
    return None if 90 <= value <= 2560 else f"{value} is not between 90 and 2560"


class Key:
    framework: ClassVar[bool] = False
    schema: ClassVar[Schema] = {
        "bypassPolicyLockoutSafetyCheck": Attribute(kind=Kind.BOOLEAN, supported=False, on_change=OnChange.RECORD),
        "customKeyStoreId": Attribute(kind=Kind.TEXT, supported=False),
        "customerMasterKeySpec": Attribute(kind=Kind.TEXT, default="SYMMETRIC_DEFAULT"),
        "deletionWindowInDays": Attribute(kind=Kind.INTEGER, on_change=OnChange.RECORD, rule=_window),
        "description": Attribute(kind=Kind.TEXT, computed=True, on_change=_ON),
        "enableKeyRotation": Attribute(kind=Kind.BOOLEAN, on_change=_ON),
        "isEnabled": Attribute(kind=Kind.BOOLEAN, default=True, on_change=_ON),
        "keyUsage": Attribute(kind=Kind.TEXT, default="ENCRYPT_DECRYPT"),
        "multiRegion": Attribute(kind=Kind.BOOLEAN, computed=True, supported=False),
        "policy": Attribute(kind=Kind.TEXT, computed=True, on_change=_ON, rule=is_policy, spelling=canonical),
        "rotationPeriodInDays": Attribute(kind=Kind.INTEGER, computed=True, on_change=_ON, rule=_period),
        "xksKeyId": Attribute(kind=Kind.TEXT, supported=False),
        **TAG_ATTRIBUTES,
        **REGION,
        "arn": Attribute(kind=Kind.TEXT, output_only=True),
        "keyId": Attribute(kind=Kind.TEXT, output_only=True),
    }

    def create(self, account: Account, call: Call, inputs: Properties) -> tuple[str, Properties]:
        """A key has no name: one with all the tags that are asked for was left behind, and is taken."""
        kms = account.client("kms")
        with account.calling(f'key "{call.name}" cannot be created', "kms"):
            facts = self._left_behind(kms, inputs.get("tags"))
            if facts is None:
                arguments: dict[str, Any] = {
                    "Description": inputs.get("description") or "",
                    "KeySpec": inputs["customerMasterKeySpec"],
                    "KeyUsage": inputs["keyUsage"],
                    "Tags": tag_set(inputs.get("tags"), "TagKey", "TagValue"),
                }
                if inputs.get("policy"):
                    arguments["Policy"] = inputs["policy"]
                facts = kms.create_key(**arguments)["KeyMetadata"]
        key = facts["KeyId"]
        outputs = self._outputs(account, inputs, facts)
        try:
            self._settle(account, kms, key, self._read(account, kms, key), inputs)
        except ProviderError as error:
            raise PartialFailure([str(error)], key, {**outputs, "enableKeyRotation": False}) from None
        return key, outputs

    def read(self, account: Account, call: Call, old: Old) -> Old | None:
        kms = account.client("kms")
        with account.calling(f'key "{old.id}" cannot be read', "kms"):
            answer = found(lambda: kms.describe_key(KeyId=old.id), GONE)
        if answer is None:
            return None
        facts = answer["KeyMetadata"]
        if facts["KeyState"] in TO_BE_DELETED:
            raise ProviderError(
                f'key "{old.id}" is to be deleted on {facts["DeletionDate"]:%Y-%m-%d}: from then on nobody can read '
                f"what it has encrypted. If that was not meant: `aws kms cancel-key-deletion --key-id {old.id}`, then "
                f"`aws kms enable-key --key-id {old.id}`, then run this again"
            )
        outputs = {**self._outputs(account, old.inputs, facts), **self._read(account, kms, facts["KeyId"])}
        return Old(facts["KeyId"], old.inputs, outputs)

    def update(self, account: Account, call: Call, old: Old, inputs: Properties) -> Properties:
        kms = account.client("kms")
        self._settle(account, kms, old.id, old.outputs, inputs)
        facts = {"KeyId": old.id, "Arn": old.outputs["arn"]}
        return self._outputs(account, inputs, facts)

    def delete(self, account: Account, call: Call, old: Old) -> None:
        """It can be taken back until the window has passed."""
        days = int(old.outputs.get("deletionWindowInDays") or LONGEST)
        kms = account.client("kms")
        with account.calling(f'key "{old.id}" cannot be deleted', "kms"):
            try:
                kms.schedule_key_deletion(KeyId=old.id, PendingWindowInDays=days)
            except Exception as error:
                if code_of(error) not in (GONE, _DELETED_ALREADY):
                    raise

    def _left_behind(self, kms: Client, tags: Mapping[str, str] | None) -> dict[str, Any] | None:
        if not tags:
            return None
        for page in kms.get_paginator("list_keys").paginate():
            for key in page["Keys"]:
                live = found(partial(self._tags, kms, key["KeyId"]), "AccessDeniedException", GONE)
                if carries(live, tags):
                    facts: dict[str, Any] = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
                    if facts["KeyState"] not in TO_BE_DELETED:
                        return facts
        return None

    def _tags(self, kms: Client, key: str) -> dict[str, str]:
        pages = kms.get_paginator("list_resource_tags").paginate(KeyId=key)
        return tag_mapping((tag for page in pages for tag in page["Tags"]), "TagKey", "TagValue")

    def _read(self, account: Account, kms: Client, key: str) -> Properties:
        """What can change of a key, as it is now."""
        with account.calling(f'key "{key}" cannot be read', "kms"):
            facts = kms.describe_key(KeyId=key)["KeyMetadata"]
            rotation = kms.get_key_rotation_status(KeyId=key)
            policy = kms.get_key_policy(KeyId=key, PolicyName=DEFAULT)["Policy"]
            tags = self._tags(kms, key)
        live: Properties = {
            "description": facts["Description"],
            "enableKeyRotation": rotation["KeyRotationEnabled"],
            "isEnabled": facts["Enabled"],
            "policy": policy,
            **with_tags(tags),
        }
        if period := rotation.get("RotationPeriodInDays"):
            live["rotationPeriodInDays"] = period
        return live

    def _settle(self, account: Account, kms: Client, key: str, before: Properties, inputs: Properties) -> None:
        """Makes of the key what the inputs say, where it is otherwise."""

        def differs(name: str) -> bool:
            return bool(inputs.get(name) is not None and inputs[name] != before.get(name))

        with account.calling(f'key "{key}" cannot be changed', "kms"):
            if inputs["isEnabled"] and not before.get("isEnabled"):
                kms.enable_key(KeyId=key)  # first: a disabled one takes no other change
            if differs("description"):
                kms.update_key_description(KeyId=key, Description=inputs["description"])
            if differs("policy") and canonical(inputs["policy"]) != canonical(before.get("policy") or ""):
                patiently(
                    lambda: kms.put_key_policy(KeyId=key, PolicyName=DEFAULT, Policy=inputs["policy"]),
                    ("MalformedPolicyDocumentException",),  # which names somebody who was made just before
                    seconds=10,
                )
            self._rotate(kms, key, before, inputs)
            self._tag(kms, key, before.get("tags") or {}, inputs.get("tags") or {})
            if not inputs["isEnabled"] and before.get("isEnabled"):
                kms.disable_key(KeyId=key)

    def _rotate(self, kms: Client, key: str, before: Properties, inputs: Properties) -> None:
        wanted, period = bool(inputs.get("enableKeyRotation")), inputs.get("rotationPeriodInDays")
        other = period is not None and period != before.get("rotationPeriodInDays")
        if wanted and (not before.get("enableKeyRotation") or other):
            kms.enable_key_rotation(KeyId=key, **({"RotationPeriodInDays": period} if period else {}))
        elif before.get("enableKeyRotation") and not wanted:
            kms.disable_key_rotation(KeyId=key)

    def _tag(self, kms: Client, key: str, before: Mapping[str, str], wanted: Mapping[str, str]) -> None:
        if more := {name: text for name, text in wanted.items() if before.get(name) != text}:
            kms.tag_resource(KeyId=key, Tags=tag_set(more, "TagKey", "TagValue"))
        if gone := sorted(set(before) - set(wanted)):
            kms.untag_resource(KeyId=key, TagKeys=gone)

    def _outputs(self, account: Account, inputs: Properties, facts: Mapping[str, Any]) -> Properties:
        return {
            **recorded_inputs(self.schema, inputs),
            **with_tags(inputs.get("tags")),
            "id": facts["KeyId"],
            "arn": facts["Arn"],
            "keyId": facts["KeyId"],
            "region": account.region,
        }
