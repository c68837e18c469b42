"""The package random: shapes, rules and chances."""

import string
from typing import Any

import bcrypt
import pytest

from engine.providers.base import Call, CheckFailed, Diff, Old, Properties, ProviderError
from engine.providers.random import ID, PASSWORD, RandomProvider
from engine.values import UNKNOWN

provider = RandomProvider()


def call(resource_type: str = PASSWORD) -> Call:
    return Call(urn="urn", type=resource_type, name="x")


def password(**inputs: Any) -> Properties:
    return provider.create(call(), provider.check(call(), None, inputs))[1]


def test_a_password_has_what_was_asked_for() -> None:
    for _ in range(10):
        made = password(length=12, minUpper=2, minNumeric=3, minSpecial=1, overrideSpecial="_-", lower=False)["result"]
        assert len(made) == 12
        assert sum(c in string.ascii_uppercase for c in made) >= 2
        assert sum(c in string.digits for c in made) >= 3
        assert sum(c in "_-" for c in made) >= 1
        assert set(made) <= set(string.ascii_uppercase + string.digits + "_-")


def test_passwords_differ_and_use_their_characters() -> None:
    made = [password(length=40)["result"] for _ in range(8)]
    assert len(set(made)) == 8
    assert len(set("".join(made))) > 50


def test_the_hash_is_the_passwords() -> None:
    made = password(length=80)
    assert made["bcryptHash"].startswith("$2a$10$")
    assert bcrypt.checkpw(made["result"].encode()[:72], made["bcryptHash"].encode())


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({}, "length: is required"),
        ({"length": "12"}, "length: must be int, and is '12'"),
        ({"length": True}, "length: must be int"),
        ({"length": 3, "minLower": 4}, "the minima ask for 4 characters"),
        ({"length": 3, "lower": False, "upper": False, "numeric": False, "special": False}, "at least one of"),
        ({"length": 3, "size": 4}, "size: unknown property"),
    ],
)
def test_impossible_passwords_are_refused(inputs: Properties, reason: str) -> None:
    with pytest.raises(CheckFailed, match=reason):
        provider.check(call(), None, inputs)


@pytest.mark.parametrize(
    ("inputs", "replaces"),
    [
        ({"length": 8}, ()),
        ({"length": 8, "special": True, "minLower": 0}, ()),  # the defaults, written out
        ({"length": 9}, ("length",)),
        ({"length": UNKNOWN}, ("length",)),
        ({"length": 8, "keepers": {"a": "b"}}, ("keepers",)),
        ({"length": 8, "number": False}, ("number", "numeric")),
    ],
)
def test_every_change_makes_a_new_password(inputs: Properties, replaces: tuple[str, ...]) -> None:
    old = Old("none", {"length": 8}, password(length=8))
    assert provider.diff(call(), old, inputs) == Diff(bool(replaces), replaces=replaces, paths=replaces)


def test_an_id_in_its_five_forms() -> None:
    id, made = provider.create(call(ID), provider.check(call(ID), None, {"byteLength": 10, "prefix": "p-"}))
    number = int(made["hex"].removeprefix("p-"), 16)
    assert made["dec"] == f"p-{number}"
    assert made["b64Url"] == f"p-{id}"
    assert made["b64Std"].removeprefix("p-").rstrip("=").translate(str.maketrans("+/", "-_")) == id
    assert len(made["hex"]) == 2 + 20
    assert made["id"] == id


def test_an_id_is_known_by_its_text_alone() -> None:
    made = provider.create(call(ID), {"byteLength": 5, "prefix": "x-"})
    seen = provider.read(call(ID), Old(made[0], {"prefix": "x-"}, {"prefix": "x-"}))
    assert seen is not None
    assert seen.outputs == made[1]
    with pytest.raises(ProviderError, match="'é' is not the id of a RandomId"):
        provider.read(call(ID), Old("é", {}, {}))


def test_a_password_cannot_be_looked_up() -> None:
    with pytest.raises(ProviderError, match="export it there, and take it with a StackReference"):
        provider.read(call(), Old("none", {}, {}))
