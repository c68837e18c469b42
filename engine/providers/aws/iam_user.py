"""aws:iam User, UserPolicy and AccessKey."""

from collections.abc import Mapping
from typing import Any, ClassVar

from engine.providers.aws.account import Account, Client, found, patiently
from engine.providers.aws.failures import code_of
from engine.providers.aws.identity import COMMON, GONE, UPDATE, Identity, InlinePolicy, inline_policy_of
from engine.providers.aws.resource import tag_set
from engine.providers.base import Call, Old, Properties, ProviderError
from engine.providers.bridge.plan import recorded_inputs
from engine.providers.bridge.schema import Attribute, Kind, OnChange, Schema


class User(Identity):
    kind: ClassVar = "User"
    schema: ClassVar[Schema] = {
        **COMMON,
        "forceDestroy": Attribute(kind=Kind.BOOLEAN, on_change=OnChange.RECORD),
        "path": Attribute(kind=Kind.TEXT, default="/", on_change=UPDATE),
    }

    def make(self, iam: Client, inputs: Properties) -> Any:
        return iam.create_user(UserName=inputs["name"], Path=inputs["path"], Tags=tag_set(inputs.get("tags")))

    def alter(self, iam: Client, name: str, before: Properties, inputs: Properties) -> None:
        if before.get("path") != inputs["path"]:
            iam.update_user(UserName=name, NewPath=inputs["path"])
        self.retag(iam, name, before, inputs)

    def live(self, facts: Mapping[str, Any]) -> Properties:
        return {"path": facts["Path"]}

    def empty(self, iam: Client, name: str) -> None:
        """Its keys end, whoever made them."""
        for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
            iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
            iam.delete_user_policy(UserName=name, PolicyName=policy)
        for attached in iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]:
            iam.detach_user_policy(UserName=name, PolicyArn=attached["PolicyArn"])


class UserPolicy(InlinePolicy):
    holder: ClassVar = "user"
    schema: ClassVar[Schema] = inline_policy_of("user")


class AccessKey:
    """AWS tells a key's secret once: the state is the only other place where it is."""

    framework: ClassVar[bool] = False
    schema: ClassVar[Schema] = {
        "pgpKey": Attribute(kind=Kind.TEXT, supported=False),
        "status": Attribute(kind=Kind.TEXT, default="Active", on_change=UPDATE),
        "user": Attribute(kind=Kind.TEXT, required=True),
        "createDate": Attribute(kind=Kind.TEXT, output_only=True),
        "secret": Attribute(kind=Kind.TEXT, output_only=True),
    }

    def create(self, account: Account, call: Call, inputs: Properties) -> tuple[str, Properties]:
        user, iam = inputs["user"], account.client("iam")
        with account.calling(f'a key of user "{user}" cannot be created', "iam"):
            try:
                made = patiently(lambda: iam.create_access_key(UserName=user), (GONE,))["AccessKey"]
            except Exception as error:
                if code_of(error) != "LimitExceeded":
                    raise
                keys = ", ".join(key["AccessKeyId"] for key in iam.list_access_keys(UserName=user)["AccessKeyMetadata"])
                raise ProviderError(
                    f'user "{user}" has two keys already ({keys}), and AWS allows no third (LimitExceeded). Delete the '
                    f"one that nobody uses: `aws iam delete-access-key --user-name {user} --access-key-id …`"
                ) from None
            if inputs["status"] != made["Status"]:
                iam.update_access_key(UserName=user, AccessKeyId=made["AccessKeyId"], Status=inputs["status"])
        outputs = {
            **recorded_inputs(self.schema, inputs),
            "id": made["AccessKeyId"],
            "createDate": f"{made['CreateDate']:%Y-%m-%dT%H:%M:%SZ}",
            "secret": made["SecretAccessKey"],
        }
        return made["AccessKeyId"], outputs

    def read(self, account: Account, call: Call, old: Old) -> Old | None:
        user, iam = old.outputs["user"], account.client("iam")
        with account.calling(f'the key {old.id} of user "{user}" cannot be read', "iam"):
            answer = found(lambda: iam.list_access_keys(UserName=user), GONE)
        for key in (answer or {}).get("AccessKeyMetadata", ()):
            if key["AccessKeyId"] == old.id:
                return Old(old.id, old.inputs, {**old.outputs, "status": key["Status"]})
        return None

    def update(self, account: Account, call: Call, old: Old, inputs: Properties) -> Properties:
        user, iam = inputs["user"], account.client("iam")
        with account.calling(f'the key {old.id} of user "{user}" cannot be changed', "iam"):
            iam.update_access_key(UserName=user, AccessKeyId=old.id, Status=inputs["status"])
        return {**old.outputs, "status": inputs["status"]}

    def delete(self, account: Account, call: Call, old: Old) -> None:
        user, iam = old.outputs["user"], account.client("iam")
        with account.calling(f'the key {old.id} of user "{user}" cannot be deleted', "iam"):
            found(lambda: iam.delete_access_key(UserName=user, AccessKeyId=old.id), GONE)
