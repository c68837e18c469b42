"""The official passphrase secrets provider: PBKDF2-HMAC-SHA256 (1,000,000 rounds), AES-256-GCM.

A salt is written `v1:<salt>:v1:<nonce>:<ciphertext>`, its tail a known word that tells a wrong passphrase; a value is
`v1:<nonce>:<ciphertext>` (all base64). The derived key is kept for the life of the process.
"""

from engine.errors import EngineError


class PassphraseError(EngineError):
    """The passphrase does not open this salt."""


class Vault:
    """Encrypts and decrypts with one passphrase and salt. Safe to use from several threads."""

    salt: str

    @classmethod
    def create(cls, passphrase: str) -> "Vault":
        """With a new random salt."""
        raise NotImplementedError

    @classmethod
    def open(cls, passphrase: str, salt: str, *, where: str) -> "Vault":
        """With a salt found in the file `where`. Raises PassphraseError, which names the file and the variables."""
        raise NotImplementedError

    def encrypt(self, plaintext: str, *, slot: str = "") -> str:
        """A ciphertext; while the plaintext of a slot (such as "<urn>/inputs/password") stays, always the same one."""
        raise NotImplementedError

    def decrypt(self, ciphertext: str, *, slot: str = "") -> str:
        """Raises EngineError naming the slot if the ciphertext was damaged."""
        raise NotImplementedError
