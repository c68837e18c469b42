"""What a file of a server holds, made of a secret."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Final

from components.slices.postgres import scram

FORMS: Final[Mapping[str, Callable[[str], str]]] = {
    "plain": lambda secret: secret,
    "scram-verifier": lambda secret: scram.verifier(secret),
    "sha256": lambda secret: hashlib.sha256(secret.encode()).hexdigest(),
    # What MINIO_KMS_SECRET_KEY takes: a name, and the 256 bits of the key in base64.
    "kms-key": lambda secret: "strata:" + base64.b64encode(hashlib.sha256(secret.encode()).digest()).decode(),
}


def verifier_with(secret: str, salt: str) -> str:
    """A SCRAM verifier with a given salt (hex), where a fresh one in each run would be a change in each run."""
    return scram.verifier(secret, bytes.fromhex(salt))
