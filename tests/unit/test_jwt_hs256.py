"""Tokens that other implementations accept, and that stay the same."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from components.jwt_hs256 import sign

KEY = "super-secret-jwt-token-with-at-least-32-characters-long"


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_a_token_is_the_one_that_other_implementations_make() -> None:
    # From PyJWT's documentation, "Encoding & Decoding Tokens with HS256".
    assert sign({"some": "payload"}, "secret") == (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzb21lIjoicGF5bG9hZCJ9.4twFt5NiznN84AWoo1d7KO1T_yoc0Z6XOpOVswacPZg"
    )


@pytest.mark.parametrize(
    "claims", [{"role": "anon", "iss": "x"}, {"sub": "ü€🐘", "exp": 1799535600}, {"access": [{"collection": "a"}]}, {}]
)
def test_claims_come_back_and_the_signature_is_over_what_was_sent(claims: dict[str, Any]) -> None:
    token = sign(claims, KEY)
    assert "=" not in token, "padding is not allowed in a token"
    header, payload, signature = token.split(".")
    assert json.loads(decoded(header)) == {"alg": "HS256", "typ": "JWT"}
    assert json.loads(decoded(payload)) == claims
    expected = hmac.new(KEY.encode(), f"{header}.{payload}".encode(), hashlib.sha256).digest()
    assert hmac.compare_digest(decoded(signature), expected)


def test_another_key_makes_another_token_and_the_same_one_does_not() -> None:
    assert sign({"role": "anon"}, KEY) == sign({"role": "anon"}, KEY)
    assert sign({"role": "anon"}, KEY) != sign({"role": "anon"}, KEY + "2")


def test_an_empty_key_signs_nothing() -> None:
    with pytest.raises(ValueError, match="empty key"):
        sign({"role": "anon"}, "")
