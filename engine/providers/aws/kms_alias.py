"""aws:kms/alias:Alias: the name of a key, which a key itself has none of."""

from typing import Any, ClassVar

from engine.providers.aws.account import Account, Client, found, patiently
from engine.providers.aws.failures import code_of
from engine.providers.aws.kms_key import GONE
from engine.providers.aws.resource import REGION
from engine.providers.base import Call, Old, Properties, ProviderError
from engine.providers.bridge.plan import recorded_inputs
from engine.providers.bridge.schema import Attribute, Kind, OnChange, Schema


def key_id(text: str) -> str:
    """Of a key's ARN or id; two spellings of one key."""
    return text.rpartition(":key/")[2]


def _is_alias(value: str) -> str | None:
    return None if value.startswith("alias/") and len(value) > len("alias/") else f'write "alias/{value}"'


class Alias:
    framework: ClassVar[bool] = False
    schema: ClassVar[Schema] = {
        "name": Attribute(kind=Kind.TEXT, required=True, rule=_is_alias),
        "namePrefix": Attribute(kind=Kind.TEXT, computed=True, supported=False),
        "targetKeyId": Attribute(kind=Kind.TEXT, required=True, on_change=OnChange.UPDATE, spelling=key_id),
        **REGION,
        "arn": Attribute(kind=Kind.TEXT, output_only=True),
        "targetKeyArn": Attribute(kind=Kind.TEXT, output_only=True),
    }

    def create(self, account: Account, call: Call, inputs: Properties) -> tuple[str, Properties]:
        name, target, kms = inputs["name"], inputs["targetKeyId"], account.client("kms")
        with account.calling(f'alias "{name}" cannot be created', "kms"):
            try:
                patiently(lambda: kms.create_alias(AliasName=name, TargetKeyId=target), (GONE,))
            except Exception as error:
                if code_of(error) != "AlreadyExistsException":
                    raise
                other = (self._find(kms, name) or {}).get("TargetKeyId", "")
                if other != key_id(target):
                    raise ProviderError(
                        f'alias "{name}" exists already, and stands for the key {other or "of AWS"}: give this one '
                        f"another name, or remove it with `aws kms delete-alias --alias-name {name}`"
                    ) from None
        return name, self._outputs(account, inputs)

    def read(self, account: Account, call: Call, old: Old) -> Old | None:
        kms = account.client("kms")
        with account.calling(f'alias "{old.id}" cannot be read', "kms"):
            facts = self._find(kms, old.id)
        if facts is None:
            return None
        inputs = {**old.inputs, "name": old.id}
        return Old(old.id, old.inputs, self._outputs(account, {**inputs, "targetKeyId": facts["TargetKeyId"]}))

    def update(self, account: Account, call: Call, old: Old, inputs: Properties) -> Properties:
        kms = account.client("kms")
        with account.calling(f'alias "{old.id}" cannot be changed', "kms"):
            kms.update_alias(AliasName=old.id, TargetKeyId=inputs["targetKeyId"])
        return self._outputs(account, inputs)

    def delete(self, account: Account, call: Call, old: Old) -> None:
        kms = account.client("kms")
        with account.calling(f'alias "{old.id}" cannot be deleted', "kms"):
            found(lambda: kms.delete_alias(AliasName=old.id), GONE)

    def _find(self, kms: Client, name: str) -> dict[str, Any] | None:
        for page in kms.get_paginator("list_aliases").paginate():
            for alias in page["Aliases"]:
                if alias["AliasName"] == name and alias.get("TargetKeyId"):
                    facts: dict[str, Any] = alias
                    return facts
        return None

    def _outputs(self, account: Account, inputs: Properties) -> Properties:
        prefix = f"arn:{account.partition}:kms:{account.region}:{account.id}"
        target = key_id(inputs["targetKeyId"])
        return {
            **recorded_inputs(self.schema, inputs),
            "id": inputs["name"],
            "arn": f"{prefix}:{inputs['name']}",
            "namePrefix": "",
            "region": account.region,
            "targetKeyArn": f"{prefix}:key/{target}",
            "targetKeyId": target,
        }
