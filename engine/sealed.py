"""The JSON of property values in a checkpoint. A secret is `{<signature>: <secret>, "ciphertext": …}`, whose plaintext
is the JSON of the value.
"""

import json
import math
import struct
from collections.abc import Mapping
from typing import Any

from engine.integrity import StateError
from engine.secrets import Vault
from engine.values import MASK, SECRET, SIGNATURE, UNKNOWN, UNKNOWN_TEXT, Secret, unwrap, walk

# JSON has no NaN or infinity: pkg/resource/stack/deployment.go writes the 64 bits in hexadecimal.
_FLOAT = "8ad145fe-0d11-4827-bfd7-1abcbf086f5c"

# Go's JSON escapes these, so the same plaintext here keeps the ciphertexts that the CLI wrote.
_GO_ESCAPES = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})
_WHOLE = 2.0**53  # below it every whole double is exact, and written like the CLI does: 5432, not 5432.0


def seal(value: Any, vault: Vault | None, slot: str) -> Any:
    """The JSON form of a property value; without a vault, one that shows no secret."""
    if isinstance(value, Secret):
        if vault is None:
            return MASK
        plaintext = to_json(seal(unwrap(value.value), vault, "")).translate(_GO_ESCAPES)
        return {SIGNATURE: SECRET, "ciphertext": vault.encrypt(plaintext, slot=slot)}
    if isinstance(value, Mapping):
        return {key: seal(item, vault, f"{slot}/{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [seal(item, vault, f"{slot}/{index}") for index, item in enumerate(value)]
    if value is UNKNOWN:
        return UNKNOWN_TEXT
    if isinstance(value, float):
        if not math.isfinite(value):
            return {SIGNATURE: _FLOAT, "value": struct.pack(">d", value).hex()}
        return int(value) if value.is_integer() and abs(value) < _WHOLE else value
    return value


def open_value(value: Any, vault: Vault | None, slot: str) -> Any:
    """The property value of its JSON form."""
    if isinstance(value, list):
        return [open_value(item, vault, f"{slot}/{index}") for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return UNKNOWN if value == UNKNOWN_TEXT else value
    if value.get(SIGNATURE) == SECRET:
        return Secret(open_value(_plaintext(value, vault, slot), None, slot))
    if value.get(SIGNATURE) == _FLOAT:
        return struct.unpack(">d", bytes.fromhex(value["value"]))[0]
    return {key: open_value(item, vault, f"{slot}/{key}") for key, item in value.items()}


def is_sealed(value: Any) -> bool:
    return any(
        isinstance(node, dict) and node.get(SIGNATURE) == SECRET and "ciphertext" in node for node in walk(value)
    )


def _plaintext(secret: Mapping[str, Any], vault: Vault | None, slot: str) -> Any:
    """The JSON value in a secret. `pulumi stack export --show-secrets` leaves a "plaintext" instead of a ciphertext.

    Inside of another secret (no vault) the "ciphertext" is not encrypted once more.
    """
    text = secret.get("plaintext")
    if text is None and isinstance(secret.get("ciphertext"), str):
        text = vault.decrypt(secret["ciphertext"], slot=slot) if vault else secret["ciphertext"]
    try:
        return json.loads(text or "")
    except ValueError:
        raise StateError(f"{slot}: the secret has no readable value") from None


def expect(value: Any, kind: type, place: str) -> Any:
    if not isinstance(value, kind):
        raise StateError(f"{place}: expected {kind.__name__}, found {type(value).__name__}")
    return value


def to_json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True, allow_nan=False)
