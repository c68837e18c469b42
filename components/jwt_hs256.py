"""JSON Web Tokens signed with HS256 (RFC 7519, RFC 7515), the same text for the same claims and key at any time.

No clock and no random number go in, so that a plan that changes nothing shows nothing.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final

_HEADER: Final = {"alg": "HS256", "typ": "JWT"}


def sign(claims: Mapping[str, Any], key: str) -> str:
    """A token with `claims`. Whoever has `key` can make others. Raises ValueError for an empty key."""
    if not key:
        raise ValueError("a token cannot be signed with an empty key: anybody could make another one")
    message = f"{_part(_HEADER)}.{_part(claims)}"
    return f"{message}.{_encoded(hmac.digest(key.encode(), message.encode(), hashlib.sha256))}"


def claims(token: str) -> dict[str, Any]:
    """What the token claims; its signature is not looked at. Raises ValueError for a text that is no token."""
    try:
        part = token.split(".")[1]
        found = json.loads(base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True))
    except (IndexError, ValueError, binascii.Error):
        raise ValueError("this text is no JSON Web Token") from None
    if not isinstance(found, dict):
        raise ValueError("this text is no JSON Web Token")
    return found


def _part(value: Mapping[str, Any]) -> str:
    return _encoded(json.dumps(value, separators=(",", ":")).encode())


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
