"""Private keys: made, written in every form that the official provider has, and read back."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from engine.providers.base import Properties, ProviderError

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_CURVES: Final[Mapping[str, ec.EllipticCurve]] = {
    "P224": ec.SECP224R1(),
    "P256": ec.SECP256R1(),
    "P384": ec.SECP384R1(),
    "P521": ec.SECP521R1(),
}
_META: Final = json.dumps({"schema_version": "1"}, separators=(",", ":"))


def created(settings: Mapping[str, Any]) -> Properties:
    """A new key's outputs besides its settings."""
    key = _new(settings)
    # SSH knows no P224, and such a key's texts for it are empty.
    for_ssh = not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP224R1)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {
        "id": identity(public),
        "privateKeyPem": _pem(key, PrivateFormat.TraditionalOpenSSL),
        "privateKeyPemPkcs8": _pem(key, PrivateFormat.PKCS8),
        "privateKeyOpenssh": _pem(key, PrivateFormat.OpenSSH) if for_ssh else "",
        "publicKeyPem": key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        **_ssh(key if for_ssh else None),
        "__meta": _META,
    }


def parsed(pem: str, what: str) -> PrivateKey:
    """The key in `pem`, which is the input `what`. Raises ProviderError, which shows nothing of it."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, PrivateKey):
        raise ProviderError(f"{what}: this is no private key of RSA, ECDSA or ED25519 in PEM without a password")
    return key


def algorithm(key: PrivateKey) -> str:
    if isinstance(key, rsa.RSAPrivateKey):
        return "RSA"
    return "ECDSA" if isinstance(key, ec.EllipticCurvePrivateKey) else "ED25519"


def digest(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None:
    """What a signature with `key` hashes with; None where that is part of the algorithm."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.key_size <= 256:
        return hashes.SHA256()
    return hashes.SHA384() if key.curve.key_size == 384 else hashes.SHA512()


def identity(content: bytes) -> str:
    """The id of what has no number of its own, as the official provider makes it."""
    return hashlib.sha1(content.strip(), usedforsecurity=False).hexdigest()


def _new(settings: Mapping[str, Any]) -> PrivateKey:
    match settings["algorithm"]:
        case "RSA":
            return rsa.generate_private_key(public_exponent=65537, key_size=settings["rsaBits"])
        case "ECDSA":
            return ec.generate_private_key(_CURVES[settings["ecdsaCurve"]])
        case _:
            return ed25519.Ed25519PrivateKey.generate()


def _pem(key: PrivateKey, form: PrivateFormat) -> str:
    if isinstance(key, ed25519.Ed25519PrivateKey) and form is PrivateFormat.TraditionalOpenSSL:
        form = PrivateFormat.PKCS8  # has no older form
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def _ssh(key: PrivateKey | None) -> Properties:
    """The line for authorized_keys, and its two fingerprints."""
    if key is None:
        return dict.fromkeys(("publicKeyOpenssh", "publicKeyFingerprintMd5", "publicKeyFingerprintSha256"), "")
    public = key.public_key()
    weak, strong = (serialization.ssh_key_fingerprint(public, kind()) for kind in (hashes.MD5, hashes.SHA256))
    return {
        "publicKeyOpenssh": public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() + "\n",
        "publicKeyFingerprintMd5": weak.hex(":"),
        "publicKeyFingerprintSha256": "SHA256:" + base64.b64encode(strong).decode().rstrip("="),
    }
