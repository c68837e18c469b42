"""Who is calling: an API key, the read-only key, or a token that was signed with the API key (JWT, HS256)."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Final

from pydantic import ValidationError

from images.qdrant.server.access import MANAGE, READ, Access, Claims, ValueExists
from images.qdrant.server.errors import NotAuthenticatedError, NotFoundError, TokenRefusedError
from images.qdrant.server.settings import Settings

LEEWAY: Final = 30  # seconds that clocks may differ, as Qdrant has it


class Authentication:
    """`exists` says whether a collection has a point with the values that a token asks for."""

    def __init__(self, settings: Settings, exists: Callable[[ValueExists], bool]) -> None:
        self._keys = [key for key in (settings.api_key, settings.alt_api_key) if key]
        self._read_only = settings.read_only_api_key
        self._tokens = settings.jwt_rbac
        self._exists = exists

    def access(self, headers: Mapping[str, str]) -> Access:
        """What the caller may do; `headers` in lower case. Raises NotAuthenticatedError and TokenRefusedError."""
        if not self._keys and not self._read_only:
            return MANAGE
        key = headers.get("api-key")
        bearer = headers.get("authorization", "")
        if key is None and bearer.startswith("Bearer "):
            key = bearer.removeprefix("Bearer ")
        if key is None:
            raise NotAuthenticatedError("Must provide an API key or an Authorization bearer token")
        if any(_same(key, known) for known in self._keys):
            return MANAGE
        if self._read_only and _same(key, self._read_only):
            return READ
        return self._by_token(key)

    def _by_token(self, token: str) -> Access:
        refused: TokenRefusedError | NotAuthenticatedError = NotAuthenticatedError("Invalid API key or JWT")
        for key in self._keys if self._tokens else ():
            try:
                claims = _claims(token, key)
            except TokenRefusedError as error:
                refused = error
                continue
            if claims.value_exists and not self._holds(claims.value_exists):
                raise NotAuthenticatedError("Invalid JWT, stateful validation failed")
            return Access(claims.access)
        raise refused

    def _holds(self, condition: ValueExists) -> bool:
        try:
            return self._exists(condition)
        except NotFoundError:
            raise TokenRefusedError("Invalid JWT, stateful validation failed") from None


def _claims(token: str, key: str) -> Claims:
    parts = token.split(".")
    try:
        header, body, signature = (_decoded(part) for part in parts)
        algorithm = json.loads(header)["alg"]
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise NotAuthenticatedError("Invalid API key or JWT") from None
    if algorithm != "HS256":
        raise NotAuthenticatedError("Invalid API key or JWT")
    if not hmac.compare_digest(signature, _signature(f"{parts[0]}.{parts[1]}", key)):
        raise TokenRefusedError("InvalidSignature")
    try:
        claims = Claims.model_validate_json(body)
    except ValidationError as error:
        raise NotAuthenticatedError(f"Invalid API key or JWT: {error.errors()[0]['msg']}") from None
    if claims.exp is not None and claims.exp < time.time() - LEEWAY:
        raise TokenRefusedError("ExpiredSignature")
    return claims


def _signature(message: str, key: str) -> bytes:
    return hmac.digest(key.encode(), message.encode(), hashlib.sha256)


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode(), known.encode())


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
