"""aws:iam Role and RolePolicy."""

from collections.abc import Mapping
from typing import Any, ClassVar

from engine.providers.aws.account import Client, patiently
from engine.providers.aws.documents import canonical, is_policy
from engine.providers.aws.identity import COMMON, UPDATE, Identity, InlinePolicy, as_text, inline_policy_of
from engine.providers.aws.resource import tag_set
from engine.providers.base import Properties
from engine.providers.bridge.schema import Attribute, Kind, OnChange, Schema

_SESSION = 3600  # seconds, AWS' own default


class Role(Identity):
    kind: ClassVar = "Role"
    waits_for: ClassVar = ("MalformedPolicyDocument",)  # whose principal was made just before
    schema: ClassVar[Schema] = {
        **COMMON,
        "namePrefix": Attribute(kind=Kind.TEXT, computed=True, supported=False),
        "assumeRolePolicy": Attribute(
            kind=Kind.TEXT, required=True, on_change=UPDATE, rule=is_policy, spelling=canonical
        ),
        "description": Attribute(kind=Kind.TEXT, on_change=UPDATE),
        "forceDetachPolicies": Attribute(kind=Kind.BOOLEAN, supported=False, on_change=OnChange.RECORD),
        "inlinePolicies": Attribute(kind=Kind.SET, computed=True, supported=False),
        "managedPolicyArns": Attribute(kind=Kind.SET, computed=True, supported=False),
        "maxSessionDuration": Attribute(kind=Kind.INTEGER, default=_SESSION, on_change=UPDATE),
        "path": Attribute(kind=Kind.TEXT, default="/"),
    }

    def make(self, iam: Client, inputs: Properties) -> Any:
        return iam.create_role(
            RoleName=inputs["name"],
            Path=inputs["path"],
            AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
            Description=inputs.get("description") or "",
            MaxSessionDuration=inputs["maxSessionDuration"],
            Tags=tag_set(inputs.get("tags")),
        )

    def alter(self, iam: Client, name: str, before: Properties, inputs: Properties) -> None:
        document = inputs["assumeRolePolicy"]
        if canonical(document) != canonical(before.get("assumeRolePolicy") or ""):
            patiently(
                lambda: iam.update_assume_role_policy(RoleName=name, PolicyDocument=document),
                self.waits_for,
                seconds=10,
            )
        iam.update_role(
            RoleName=name,
            Description=inputs.get("description") or "",
            MaxSessionDuration=inputs["maxSessionDuration"],
        )
        self.retag(iam, name, before, inputs)

    def live(self, facts: Mapping[str, Any]) -> Properties:
        return {
            "assumeRolePolicy": as_text(facts["AssumeRolePolicyDocument"]),
            "description": facts.get("Description", ""),
            "maxSessionDuration": facts.get("MaxSessionDuration") or _SESSION,
            "path": facts["Path"],
        }


class RolePolicy(InlinePolicy):
    holder: ClassVar = "role"
    schema: ClassVar[Schema] = inline_policy_of("role")
