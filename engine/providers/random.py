"""The package `random`: RandomPassword and RandomId, with the shapes of the official provider (4.x).

Every input forces a replacement, as a changed input makes another random value. The official provider plans a
replacement (a new password!) for a state that lacks one of its settings, so all of them are recorded.
"""

import base64
import json
import secrets
import string
from collections.abc import Callable, Mapping
from typing import Any, Final

import bcrypt

from engine.providers.base import Call, CheckFailed, Diff, Old, Properties, ProviderError, Unsupported
from engine.values import UNKNOWN, contains_unknown

PASSWORD: Final = "random:index/randomPassword:RandomPassword"  # noqa: S105 - a type
ID: Final = "random:index/randomId:RandomId"
_SPECIAL: Final = "!@#$%&*()-_=+[]{}<>:?"  # the official provider's
_CLASSES: Final = {
    "Lower": string.ascii_lowercase,
    "Upper": string.ascii_uppercase,
    "Numeric": string.digits,
    "Special": _SPECIAL,
}
_BCRYPT_LIMIT: Final = 72  # bytes; the official provider cuts there, too
_PASSWORD_INPUTS: Final[dict[str, type]] = {
    "length": int,
    **dict.fromkeys(("lower", "upper", "number", "numeric", "special"), bool),
    **dict.fromkeys(("minLower", "minUpper", "minNumeric", "minSpecial"), int),
    "overrideSpecial": str,
    "keepers": dict,
}
_ID_INPUTS: Final[dict[str, type]] = {"byteLength": int, "prefix": str, "keepers": dict}
_INPUTS: Final = {PASSWORD: _PASSWORD_INPUTS, ID: _ID_INPUTS}


class RandomProvider:
    """Without configuration and without anything outside of the state."""

    def configure(self, config: Mapping[str, Any]) -> None:
        """Nothing to configure."""

    def check(self, call: Call, old_inputs: Properties | None, inputs: Properties) -> Properties:
        allowed = _inputs_of(call.type)
        given = {key: value for key, value in inputs.items() if value is not None}
        failures = [(key, "unknown property") for key in given if key not in allowed]
        failures += [
            (key, f"must be {allowed[key].__name__}, and is {value!r}")
            for key, value in given.items()
            if key in allowed and value is not UNKNOWN and type(value) is not allowed[key]
        ]
        required = "length" if call.type == PASSWORD else "byteLength"
        size = given.get(required, 0)
        if required not in given:
            failures.append((required, "is required"))
        elif not failures and size is not UNKNOWN and size < 1:
            failures.append((required, "must be at least 1"))
        if not failures and call.type == PASSWORD and not contains_unknown(given):
            failures += _impossible(_settings(given))
        if failures:
            raise CheckFailed(failures)
        return given

    def diff(self, call: Call, old: Old, inputs: Properties) -> Diff:
        shape: Callable[[Mapping[str, Any]], Properties] = _settings if call.type == PASSWORD else _id_settings
        before, after = shape(old.outputs), shape(inputs)
        changed = tuple(key for key in sorted({*before, *after}) if before.get(key) != after.get(key))
        return Diff(bool(changed), replaces=changed, paths=changed)

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        _inputs_of(call.type)
        return _new_password(inputs) if call.type == PASSWORD else _new_id(inputs)

    def read(self, call: Call, old: Old) -> Old | None:
        """What the state has is all there is. A RandomId's id says the rest (`RandomId.get`), a password's nothing."""
        _inputs_of(call.type)
        if {"result", "hex"} & old.outputs.keys():
            return old
        if call.type == PASSWORD:
            raise ProviderError(
                f"RandomPassword.get({call.name!r}): a password is nowhere but in the state of the stack that made it: "
                "export it there, and take it with a StackReference"
            )
        return Old(old.id, old.inputs, _id_outputs(old.id, {**old.inputs}))

    def update(self, call: Call, old: Old, inputs: Properties) -> Properties:
        return {**old.outputs, **inputs}

    def delete(self, call: Call, old: Old) -> None:
        """There is nothing outside of the state."""

    def invoke(self, token: str, args: Properties) -> Properties:
        raise ProviderError(f"{token}: the package random has no functions")

    def close(self) -> None:
        """Nothing is open."""


def _inputs_of(resource_type: str) -> dict[str, type]:
    if resource_type not in _INPUTS:
        raise Unsupported(
            f"{resource_type} is not supported by the embedded engine (of package random it has RandomPassword and "
            "RandomId); use the pulumi CLI for this stack"
        )
    return _INPUTS[resource_type]


def _settings(given: Mapping[str, Any]) -> Properties:
    """All settings of a password, the provider's defaults filled in."""
    numeric = given.get("numeric", given.get("number", True))
    settings = {
        "length": given.get("length"),
        "lower": given.get("lower", True),
        "upper": given.get("upper", True),
        "number": numeric,
        "numeric": numeric,
        "special": given.get("special", True),
        **{f"min{name}": given.get(f"min{name}", 0) for name in _CLASSES},
    }
    optional = {key: given[key] for key in ("overrideSpecial", "keepers") if given.get(key) is not None}
    return {**settings, **optional}


def _classes(settings: Mapping[str, Any]) -> dict[str, str]:
    """The characters of each class that the password may have."""
    chosen = {**_CLASSES, "Special": settings.get("overrideSpecial") or _SPECIAL}
    return {name: characters for name, characters in chosen.items() if settings[name.lower()]}


def _impossible(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    minima = sum(settings[f"min{name}"] for name in _CLASSES)
    if minima > settings["length"]:
        return [("length", f"is {settings['length']}, and the minima ask for {minima} characters")]
    return [] if _classes(settings) else [("", "at least one of lower, upper, numeric and special must be true")]


def _new_password(inputs: Properties) -> tuple[str, Properties]:
    settings = _settings(inputs)
    classes = _classes(settings)
    everything = "".join(classes.values())
    characters = [secrets.choice(classes[name]) for name in classes for _ in range(settings[f"min{name}"])]
    characters += [secrets.choice(everything) for _ in range(settings["length"] - len(characters))]
    secrets.SystemRandom().shuffle(characters)
    password = "".join(characters)
    salt = bcrypt.gensalt(10, prefix=b"2a")
    return "none", {
        **settings,
        "id": "none",
        "result": password,
        "bcryptHash": bcrypt.hashpw(password.encode()[:_BCRYPT_LIMIT], salt).decode(),
        "__meta": json.dumps({"schema_version": "3"}, separators=(",", ":")),
    }


def _id_settings(given: Mapping[str, Any]) -> Properties:
    return {key: given[key] for key in _ID_INPUTS if given.get(key) is not None}


def _new_id(inputs: Properties) -> tuple[str, Properties]:
    settings = _id_settings(inputs)
    url = base64.urlsafe_b64encode(secrets.token_bytes(settings["byteLength"])).decode().rstrip("=")
    return url, _id_outputs(url, settings)


def _id_outputs(url: str, settings: Properties) -> Properties:
    """All forms of the number that an id is. Raises ProviderError for a text that is none."""
    try:
        content = base64.urlsafe_b64decode(url + "=" * (-len(url) % 4))
    except ValueError:
        raise ProviderError(
            f"{url!r} is not the id of a RandomId (base64, as its output b64Url without prefix)"
        ) from None
    prefix = settings.get("prefix", "")
    return {
        **settings,
        "byteLength": len(content),
        "id": url,
        "b64Std": prefix + base64.b64encode(content).decode(),
        "b64Url": prefix + url,
        "dec": prefix + str(int.from_bytes(content, "big")),
        "hex": prefix + content.hex(),
    }
