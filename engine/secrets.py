"""The official passphrase secrets provider: PBKDF2-HMAC-SHA256 (1,000,000 rounds), AES-256-GCM.

A salt is written `v1:<salt>:v1:<nonce>:<ciphertext>`, its tail a known word that tells a wrong passphrase; a value is
`v1:<nonce>:<ciphertext>` (all base64). The formats are those of sdk/go/common/resource/config/crypt.go and
pkg/secrets/passphrase/manager.go in pulumi/pulumi.
"""

import hashlib
import os
import threading
from base64 import b64decode, b64encode
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.errors import EngineError

_ROUNDS = 1_000_000
_KEY_BYTES = 32
_SALT_BYTES = 8
_NONCE_BYTES = 12
_PROOF = "pulumi"  # what the tail of a salt decrypts to


class PassphraseError(EngineError):
    """The passphrase does not open this salt."""


class CiphertextError(EngineError):
    """A salt or an encrypted value is damaged, or was encrypted with another salt."""


class Vault:
    """Encrypts and decrypts with one passphrase and salt. Safe to use from several threads.

    A slot is the place of a value, such as "<urn>/inputs/password". While its plaintext stays it keeps its ciphertext:
    files change only where values do. Equal values in two slots get different ciphertexts, which tell nobody that they
    are equal.
    """

    def __init__(self, key: bytes, salt: str) -> None:
        """Use `create` or `open`."""
        self.salt = salt
        self._cipher = AESGCM(key)
        self._known: dict[str, tuple[str, str]] = {}  # slot → (plaintext, ciphertext)
        self._lock = threading.Lock()

    @classmethod
    def create(cls, passphrase: str) -> "Vault":
        """With a new random salt."""
        salt = os.urandom(_SALT_BYTES)
        key = _derive(passphrase, salt)
        return cls(key, f"v1:{b64encode(salt).decode()}:{_seal(AESGCM(key), _PROOF)}")

    @classmethod
    def open(cls, passphrase: str, salt: str, *, where: str) -> "Vault":
        """With a salt found in the file `where`. Raises PassphraseError, which names the file and the variables."""
        version, _, rest = salt.partition(":")
        encoded, _, proof = rest.partition(":")
        try:
            if version != "v1" or not proof:
                raise ValueError
            key = _derive(passphrase, b64decode(encoded, validate=True))
        except ValueError:
            raise CiphertextError(f"{where}: the encryption salt is damaged (expected v1:<salt>:v1:…)") from None
        vault = cls(key, salt)
        try:
            opened = vault.decrypt(proof) == _PROOF
        except CiphertextError:
            opened = False
        if not opened:
            raise PassphraseError(
                f"incorrect passphrase for {where}: set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE, "
                "to the passphrase that this stack was created with"
            )
        return vault

    def encrypt(self, plaintext: str, *, slot: str = "") -> str:
        """A ciphertext; for a slot whose plaintext did not change, the one that it had before."""
        with self._lock:
            known = self._known.get(slot)
            if known and known[0] == plaintext:
                return known[1]
            ciphertext = _seal(self._cipher, plaintext)
            if slot:
                self._known[slot] = (plaintext, ciphertext)
            return ciphertext

    def decrypt(self, ciphertext: str, *, slot: str = "") -> str:
        """Raises CiphertextError that names the slot. Remembers the ciphertext for `encrypt`."""
        try:
            version, nonce, sealed = ciphertext.split(":")
            if version != "v1":
                raise ValueError
            plaintext = self._cipher.decrypt(b64decode(nonce, validate=True), b64decode(sealed, validate=True), None)
        except (ValueError, InvalidTag):
            place = slot or "an encrypted value"
            raise CiphertextError(
                f"{place}: cannot be decrypted: it was edited, or encrypted with another salt"
            ) from None
        if slot:
            with self._lock:
                self._known[slot] = (plaintext.decode(), ciphertext)
        return plaintext.decode()


@lru_cache(maxsize=8)
def _derive(passphrase: str, salt: bytes) -> bytes:
    """Cached for the life of the process: 0.3 s each."""
    return hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, _ROUNDS, _KEY_BYTES)


def _seal(cipher: AESGCM, plaintext: str) -> str:
    nonce = os.urandom(_NONCE_BYTES)
    sealed = cipher.encrypt(nonce, plaintext.encode(), None)
    return f"v1:{b64encode(nonce).decode()}:{b64encode(sealed).decode()}"
