"""What the package random records must look like the official provider's, or the CLI replaces it: a new password.

The shapes were read from states that the official plugin (pulumi-resource-random 4.21.4) wrote for these inputs. It
also writes `__pulumi_raw_state_delta`, which may be absent.
"""

import base64
import re
from typing import Any

import bcrypt
import pytest

from engine.providers.base import Call, Old
from engine.providers.random import ID, PASSWORD, RandomProvider

DELTA = "__pulumi_raw_state_delta"

PASSWORD_DEFAULTS = {
    "__meta": '{"schema_version":"3"}',
    "id": "none",
    "lower": True,
    "upper": True,
    "number": True,
    "numeric": True,
    "special": True,
    "minLower": 0,
    "minUpper": 0,
    "minNumeric": 0,
    "minSpecial": 0,
}
# Inputs of a password → what its outputs have besides the defaults, the result and its hash.
PASSWORDS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"length": 20}, {"length": 20}),
    ({"length": 16, "special": False}, {"length": 16, "special": False}),
    (
        {"length": 12, "minLower": 1, "minUpper": 2, "minNumeric": 3, "minSpecial": 4, "overrideSpecial": "_-"},
        {"length": 12, "minLower": 1, "minUpper": 2, "minNumeric": 3, "minSpecial": 4, "overrideSpecial": "_-"},
    ),
    (
        {"length": 8, "lower": False, "special": False, "upper": False},
        {"length": 8, "lower": False, "special": False, "upper": False},
    ),
    ({"length": 8, "number": False}, {"length": 8, "number": False, "numeric": False}),
    ({"length": 8, "numeric": False}, {"length": 8, "number": False, "numeric": False}),
    ({"length": 24, "keepers": {"a": "1", "b": ""}}, {"length": 24, "keepers": {"a": "1", "b": ""}}),
    ({"length": 24, "keepers": {}}, {"length": 24, "keepers": {}}),
    ({"length": 100, "special": False}, {"length": 100, "special": False}),
    ({"length": 10, "overrideSpecial": ""}, {"length": 10, "overrideSpecial": ""}),
]
IDS: list[dict[str, Any]] = [
    {"byteLength": 4},
    {"byteLength": 8, "prefix": "app-"},
    {"byteLength": 16, "keepers": {"a": "1"}},
    {"byteLength": 3, "prefix": ""},
]


def call(kind: str) -> Call:
    return Call(urn=f"urn:pulumi:dev::shop::{kind}::x", type=kind, name="x")


def created(kind: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    provider = RandomProvider()
    checked = provider.check(call(kind), None, inputs)
    assert checked == inputs, "the official provider stores the program's inputs and nothing else"
    return provider.create(call(kind), checked)


@pytest.mark.parametrize(("inputs", "settings"), PASSWORDS)
def test_a_password_is_recorded_as_the_official_provider_does(inputs: dict[str, Any], settings: dict[str, Any]) -> None:
    identity, outputs = created(PASSWORD, inputs)
    result, hashed = outputs.pop("result"), outputs.pop("bcryptHash")
    assert (identity, outputs) == ("none", {**PASSWORD_DEFAULTS, **settings})
    assert all(type(outputs[key]) is type(value) for key, value in {**PASSWORD_DEFAULTS, **settings}.items())
    assert len(result) == settings["length"]
    assert hashed.startswith("$2a$10$")
    assert bcrypt.checkpw(result.encode()[:72], hashed.encode())


@pytest.mark.parametrize(("inputs", "settings"), PASSWORDS)
def test_a_password_has_the_characters_that_were_asked_for(inputs: dict[str, Any], settings: dict[str, Any]) -> None:
    special = settings.get("overrideSpecial") or "!@#$%&*()-_=+[]{}<>:?"
    classes = {"lower": "a-z", "upper": "A-Z", "numeric": "0-9", "special": re.escape(special)}
    rules = {**PASSWORD_DEFAULTS, **settings}
    for _ in range(3):
        result = created(PASSWORD, inputs)[1]["result"]
        allowed = "".join(characters for name, characters in classes.items() if rules[name])
        assert re.fullmatch(f"[{allowed}]+", result)
        for name, characters in classes.items():
            assert len(re.findall(f"[{characters}]", result)) >= rules[f"min{name.title()}"]


def test_passwords_differ() -> None:
    assert len({created(PASSWORD, {"length": 16})[1]["result"] for _ in range(5)}) == 5


@pytest.mark.parametrize("inputs", IDS)
def test_an_id_is_recorded_as_the_official_provider_does(inputs: dict[str, Any]) -> None:
    identity, outputs = created(ID, inputs)
    prefix = inputs.get("prefix", "")
    content = base64.urlsafe_b64decode(identity + "=" * (-len(identity) % 4))
    assert len(content) == inputs["byteLength"]
    assert outputs == {
        **inputs,
        "id": identity,
        "b64Url": prefix + identity,
        "b64Std": prefix + base64.b64encode(content).decode(),
        "dec": prefix + str(int.from_bytes(content, "big")),
        "hex": prefix + content.hex(),
    }


@pytest.mark.parametrize(("inputs", "settings"), PASSWORDS)
def test_a_password_of_the_official_provider_is_kept(inputs: dict[str, Any], settings: dict[str, Any]) -> None:
    outputs = {**PASSWORD_DEFAULTS, **settings, "result": "kept", "bcryptHash": "$2a$10$x", DELTA: {"obj": {}}}
    assert RandomProvider().diff(call(PASSWORD), Old("none", inputs, outputs), inputs).changed is False


@pytest.mark.parametrize("inputs", IDS)
def test_an_id_of_the_official_provider_is_kept(inputs: dict[str, Any]) -> None:
    outputs = {**inputs, "id": "d7v1", "b64Url": "d7v1", "b64Std": "d7v1", "dec": "7846901", "hex": "77bbf5", DELTA: {}}
    assert RandomProvider().diff(call(ID), Old("d7v1", inputs, outputs), inputs).changed is False


@pytest.mark.parametrize(
    ("kind", "old", "new", "path"),
    [
        (PASSWORD, {"length": 20}, {"length": 21}, "length"),
        (PASSWORD, {"length": 20}, {"length": 20, "special": False}, "special"),
        (PASSWORD, {"length": 20, "keepers": {"v": "1"}}, {"length": 20, "keepers": {"v": "2"}}, "keepers"),
        (ID, {"byteLength": 4}, {"byteLength": 5}, "byteLength"),
        (ID, {"byteLength": 4, "keepers": {"v": "1"}}, {"byteLength": 4}, "keepers"),
    ],
)
def test_another_setting_makes_another_value(kind: str, old: dict[str, Any], new: dict[str, Any], path: str) -> None:
    identity, outputs = created(kind, old)
    answer = RandomProvider().diff(call(kind), Old(identity, old, outputs), new)
    assert answer.changed
    assert path in answer.replaces
