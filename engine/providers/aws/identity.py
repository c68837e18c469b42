"""What users and roles of IAM have in common, and the policies in them. They are access: deleting ends it."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from engine.providers.aws.account import Account, Client, found, patiently
from engine.providers.aws.documents import canonical, is_policy
from engine.providers.aws.resource import TAG_ATTRIBUTES, carries, tag_mapping, tag_set, with_tags
from engine.providers.base import Call, Old, Properties, ProviderError
from engine.providers.bridge.plan import recorded_inputs
from engine.providers.bridge.schema import Attribute, Kind, OnChange, Schema

GONE: Final = "NoSuchEntity"
UPDATE: Final = OnChange.UPDATE
COMMON: Final[Schema] = {
    "name": Attribute(kind=Kind.TEXT, autonamed=True),  # the official provider renames a user, this one replaces it
    "permissionsBoundary": Attribute(kind=Kind.TEXT, supported=False),
    **TAG_ATTRIBUTES,
    "arn": Attribute(kind=Kind.TEXT, output_only=True),
    "uniqueId": Attribute(kind=Kind.TEXT, output_only=True),
}


class Identity:
    """Subclasses say how one is made and changed, and what of it can change. The id is the name."""

    framework: ClassVar[bool] = False
    schema: ClassVar[Schema]
    kind: ClassVar[str]  # User or Role, as methods and answers are called
    waits_for: ClassVar[tuple[str, ...]] = ()  # codes that end when AWS knows of what was made just before

    def make(self, iam: Client, inputs: Properties) -> Any:
        raise NotImplementedError

    def alter(self, iam: Client, name: str, before: Properties, inputs: Properties) -> None:
        raise NotImplementedError

    def live(self, facts: Mapping[str, Any]) -> Properties:
        raise NotImplementedError

    def empty(self, iam: Client, name: str) -> None:
        """Removes what would keep it from being deleted."""

    def create(self, account: Account, call: Call, inputs: Properties) -> tuple[str, Properties]:
        name, iam = inputs["name"], account.client("iam")
        with account.calling(f'{self._called} "{name}" cannot be created', "iam"):
            facts = found(lambda: self._facts(iam, name), GONE)
            if facts is None:
                facts = patiently(lambda: self.make(iam, inputs), self.waits_for)[self.kind]
            elif carries(tag_mapping(facts.get("Tags") or ()), inputs.get("tags")):
                self.alter(iam, name, self._now(inputs, facts), inputs)
            else:
                raise ProviderError(
                    f'{self._called} "{name}" exists already and is not of this stack: it lacks tags. Give this one '
                    "another name, or delete that one"
                )
        return name, self._outputs(inputs, facts)

    def read(self, account: Account, call: Call, old: Old) -> Old | None:
        iam = account.client("iam")
        with account.calling(f'{self._called} "{old.id}" cannot be read', "iam"):
            facts = found(lambda: self._facts(iam, old.id), GONE)
        return Old(old.id, old.inputs, self._now({**old.inputs, "name": old.id}, facts)) if facts else None

    def update(self, account: Account, call: Call, old: Old, inputs: Properties) -> Properties:
        iam = account.client("iam")
        with account.calling(f'{self._called} "{old.id}" cannot be changed', "iam"):
            self.alter(iam, old.id, old.outputs, inputs)
            return self._outputs(inputs, self._facts(iam, old.id))

    def delete(self, account: Account, call: Call, old: Old) -> None:
        iam = account.client("iam")
        name = {f"{self.kind}Name": old.id}
        with account.calling(f'{self._called} "{old.id}" cannot be deleted', "iam"):
            if old.outputs.get("forceDestroy"):
                found(lambda: self.empty(iam, old.id), GONE)
            found(lambda: patiently(lambda: getattr(iam, f"delete_{self._called}")(**name)), GONE)

    def retag(self, iam: Client, name: str, before: Properties, inputs: Properties) -> None:
        named, old, new = {f"{self.kind}Name": name}, before.get("tags") or {}, inputs.get("tags") or {}
        if new != old and new:
            getattr(iam, f"tag_{self._called}")(**named, Tags=tag_set(new))
        if gone := sorted(set(old) - set(new)):
            getattr(iam, f"untag_{self._called}")(**named, TagKeys=gone)

    @property
    def _called(self) -> str:
        return self.kind.lower()

    def _facts(self, iam: Client, name: str) -> dict[str, Any]:
        facts: dict[str, Any] = getattr(iam, f"get_{self._called}")(**{f"{self.kind}Name": name})[self.kind]
        return facts

    def _now(self, inputs: Properties, facts: Mapping[str, Any]) -> Properties:
        """As it is, whatever the inputs say."""
        tags = tag_mapping(facts.get("Tags") or ())
        return {**self._outputs(inputs, facts), **self.live(facts), **with_tags(tags)}

    def _outputs(self, inputs: Properties, facts: Mapping[str, Any]) -> Properties:
        return {
            **recorded_inputs(self.schema, inputs),
            **with_tags(inputs.get("tags")),
            "id": inputs["name"],
            "arn": facts["Arn"],
            "uniqueId": facts[f"{self.kind}Id"],
        }


class InlinePolicy:
    """A policy that stands in one user or role. The id is `<user or role>:<name>`."""

    framework: ClassVar[bool] = False
    schema: ClassVar[Schema]
    holder: ClassVar[str]  # user or role

    def create(self, account: Account, call: Call, inputs: Properties) -> tuple[str, Properties]:
        id = f"{inputs[self.holder]}:{inputs['name']}"
        self._put(account, inputs, (GONE,))
        return id, self._outputs(id, inputs)

    def read(self, account: Account, call: Call, old: Old) -> Old | None:
        iam, (holder, _, name) = account.client("iam"), old.id.partition(":")
        arguments = {self._holder_name: holder, "PolicyName": name}
        with account.calling(f'policy "{old.id}" cannot be read', "iam"):
            answer = found(lambda: getattr(iam, f"get_{self.holder}_policy")(**arguments), GONE)
        if answer is None:
            return None
        inputs = {**old.inputs, self.holder: holder, "name": name, "policy": as_text(answer["PolicyDocument"])}
        return Old(old.id, old.inputs, self._outputs(old.id, inputs))

    def update(self, account: Account, call: Call, old: Old, inputs: Properties) -> Properties:
        self._put(account, inputs, ())
        return self._outputs(old.id, inputs)

    def delete(self, account: Account, call: Call, old: Old) -> None:
        iam, (holder, _, name) = account.client("iam"), old.id.partition(":")
        arguments = {self._holder_name: holder, "PolicyName": name}
        with account.calling(f'policy "{old.id}" cannot be deleted', "iam"):
            found(lambda: getattr(iam, f"delete_{self.holder}_policy")(**arguments), GONE)

    @property
    def _holder_name(self) -> str:
        return f"{self.holder.capitalize()}Name"

    def _put(self, account: Account, inputs: Properties, codes: tuple[str, ...]) -> None:
        iam, holder, name = account.client("iam"), inputs[self.holder], inputs["name"]
        arguments = {self._holder_name: holder, "PolicyName": name, "PolicyDocument": inputs["policy"]}
        with account.calling(f'policy "{name}" of {self.holder} "{holder}" cannot be set', "iam"):
            patiently(lambda: getattr(iam, f"put_{self.holder}_policy")(**arguments), codes)

    def _outputs(self, id: str, inputs: Properties) -> Properties:
        return {**recorded_inputs(self.schema, inputs), "id": id, "namePrefix": ""}


def inline_policy_of(holder: str) -> Schema:
    return {
        "name": Attribute(kind=Kind.TEXT, autonamed=True),
        "namePrefix": Attribute(kind=Kind.TEXT, computed=True, supported=False),
        "policy": Attribute(kind=Kind.TEXT, required=True, on_change=UPDATE, rule=is_policy, spelling=canonical),
        holder: Attribute(kind=Kind.TEXT, required=True),
    }


def as_text(document: Any) -> str:
    """boto3 gives policies of IAM as mappings."""
    return document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))
