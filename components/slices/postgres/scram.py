"""SCRAM-SHA-256 verifiers as Postgres stores them (RFC 5803): a server gets one, and never the password."""

import base64
import hashlib
import hmac
import os
import re
from typing import Final

ITERATIONS: Final = 4096  # Postgres' default for scram_iterations; RFC 7677 asks for at least as many
SALT_BYTES: Final = 16
VERIFIER: Final = re.compile(r"SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)")


def verifier(password: str, salt: bytes | None = None) -> str:
    """A fresh verifier of `password`. It is ASCII, so SASLprep leaves it alone; raises ValueError if it is not."""
    return _verifier(password, salt or os.urandom(SALT_BYTES), ITERATIONS)


def matches(password: str, stored: str | None) -> bool:
    """Whether `stored` is a verifier of `password`."""
    parts = VERIFIER.fullmatch(stored or "")
    if not parts:
        return False
    again = _verifier(password, base64.b64decode(parts[2]), int(parts[1]))
    return hmac.compare_digest(again, parts[0])


def _verifier(password: str, salt: bytes, iterations: int) -> str:
    if not password or not password.isascii() or not password.isprintable():
        raise ValueError("a password must be printable ASCII")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    salt_text, stored_text, server_text = (base64.b64encode(part).decode() for part in (salt, stored_key, server_key))
    return f"SCRAM-SHA-256${iterations}:{salt_text}${stored_text}:{server_text}"
