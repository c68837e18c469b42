"""Certificates and requests, as the official provider makes them (with Go's crypto/x509)."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any, Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from engine.providers.base import Properties, ProviderError
from engine.providers.tls import keys, renewal
from engine.providers.tls.usages import EXTENDED, USAGES

Warn = Callable[[str], None]
_T = TypeVar("_T")

# In the order in which Go writes them.
_NAMES: Final = {
    "country": NameOID.COUNTRY_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "organizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "locality": NameOID.LOCALITY_NAME,
    "province": NameOID.STATE_OR_PROVINCE_NAME,
    "streetAddresses": NameOID.STREET_ADDRESS,
    "postalCode": NameOID.POSTAL_CODE,
    "commonName": NameOID.COMMON_NAME,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "emailAddress": NameOID.EMAIL_ADDRESS,
}


@dataclass(frozen=True, kw_only=True)
class _Subject:
    """Who a certificate is for."""

    name: x509.Name
    others: Sequence[x509.GeneralName]
    key: CertificatePublicKeyTypes


@dataclass(frozen=True, kw_only=True)
class _Issuer:
    """Who signs it. Its `key_id` is what the certificate then names it by, beside its name."""

    name: x509.Name
    key: keys.PrivateKey
    key_id: bytes | None


def request(settings: Mapping[str, Any]) -> Properties:
    """A request's outputs besides its settings."""
    key = keys.parsed(settings["privateKeyPem"], "privateKeyPem")
    subject = _subject(settings, key)
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject.name)
    if subject.others:
        builder = builder.add_extension(x509.SubjectAlternativeName(subject.others), critical=not subject.name.rdns)
    made = builder.sign(key, keys.digest(key))
    return {
        "id": keys.identity(made.public_bytes(Encoding.DER)),
        "certRequestPem": made.public_bytes(Encoding.PEM).decode(),
        "keyAlgorithm": keys.algorithm(key),
    }


def self_signed(settings: Mapping[str, Any], now: datetime, warn: Warn) -> Properties:
    """A certificate's outputs besides its settings."""
    key = keys.parsed(settings["privateKeyPem"], "privateKeyPem")
    subject = _subject(settings, key)
    own_id = x509.SubjectKeyIdentifier.from_public_key(subject.key).digest
    if settings["setAuthorityKeyId"] and not (settings["setSubjectKeyId"] or settings["isCaCertificate"]):
        raise ProviderError(
            "setAuthorityKeyId: its own key is the authority's, and has no id: set setSubjectKeyId, too"
        )
    issuer = _Issuer(name=subject.name, key=key, key_id=own_id if settings["setAuthorityKeyId"] else None)
    return {**_certificate(settings, subject, issuer, now, warn), "keyAlgorithm": keys.algorithm(key)}


def locally_signed(settings: Mapping[str, Any], now: datetime, warn: Warn) -> Properties:
    """A certificate's outputs besides its settings."""
    key = keys.parsed(settings["caPrivateKeyPem"], "caPrivateKeyPem")
    authority = _read(x509.load_pem_x509_certificate, settings["caCertPem"], "caCertPem", "certificate")
    if authority.public_key() != key.public_key():
        raise ProviderError("caPrivateKeyPem: this is not the key of the certificate in caCertPem")
    if not _is_authority(authority):
        warn("caCertPem is no certificate of an authority (isCaCertificate): clients may refuse what it signs")
    csr = _read(x509.load_pem_x509_csr, settings["certRequestPem"], "certRequestPem", "certificate request")
    if not csr.is_signature_valid:
        raise ProviderError("certRequestPem: its signature is not of the key that it is for")
    others = [
        name
        for name in _alternatives(csr)
        if isinstance(name, x509.DNSName | x509.IPAddress | x509.UniformResourceIdentifier)
    ]
    subject = _Subject(name=csr.subject, others=others, key=csr.public_key())
    issuer = _Issuer(name=authority.subject, key=key, key_id=_key_id(authority))
    return {**_certificate(settings, subject, issuer, now, warn), "caKeyAlgorithm": keys.algorithm(key)}


def _certificate(
    settings: Mapping[str, Any], subject: _Subject, issuer: _Issuer, now: datetime, warn: Warn
) -> Properties:
    start = now.replace(microsecond=0)
    end = start + timedelta(hours=settings["validityPeriodHours"])
    number = secrets.randbelow(2**128 - 1) + 1
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject.name)
        .issuer_name(issuer.name)
        .public_key(subject.key)
        .serial_number(number)
        .not_valid_before(start)
        .not_valid_after(end)
    )
    for extension, critical in _extensions(settings, subject, issuer):
        builder = builder.add_extension(extension, critical)
    made = builder.sign(issuer.key, keys.digest(issuer.key))
    outputs = {renewal.END: renewal.written(end)}
    ready = renewal.due(outputs, settings, start)
    if ready:
        warn("earlyRenewalHours are not less than validityPeriodHours: every `up` makes another certificate")
    return {
        **outputs,
        "id": str(number),
        "certPem": made.public_bytes(Encoding.PEM).decode(),
        "validityStartTime": renewal.written(start),
        renewal.READY: ready,
    }


def _extensions(
    settings: Mapping[str, Any], subject: _Subject, issuer: _Issuer
) -> Sequence[tuple[x509.ExtensionType, bool]]:
    """Each with whether it is critical."""
    authority = settings["isCaCertificate"]
    if authority and not subject.name.rdns:
        raise ProviderError("certRequestPem: an authority needs a subject: others name it by that")
    uses = settings["allowedUses"]
    length = settings.get("maxPathLength", -1)
    found: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=authority, path_length=length if authority and length >= 0 else None), True)
    ]
    flags = {flag: use in uses for use, flag in USAGES.items()}
    if any(flags.values()):
        found.append((_key_usage(flags), True))
    extended = [x509.ObjectIdentifier(EXTENDED[use]) for use in uses if use in EXTENDED]
    if extended:
        found.append((x509.ExtendedKeyUsage(extended), False))
    if authority or settings["setSubjectKeyId"]:
        found.append((x509.SubjectKeyIdentifier.from_public_key(subject.key), False))
    if issuer.key_id is not None:
        found.append((x509.AuthorityKeyIdentifier(issuer.key_id, None, None), False))
    if subject.others:
        found.append((x509.SubjectAlternativeName(subject.others), not subject.name.rdns))
    return found


def _key_usage(flags: Mapping[str, bool]) -> x509.KeyUsage:
    try:
        return x509.KeyUsage(**flags)
    except ValueError:
        raise ProviderError("allowedUses: encipher_only and decipher_only are of key_agreement: add it") from None


def _subject(settings: Mapping[str, Any], key: keys.PrivateKey) -> _Subject:
    asked = settings.get("subject", {})
    parts = []
    for part, oid in _NAMES.items():
        value = asked.get(part) or []
        texts = [text for text in ([value] if isinstance(value, str) else value) if text]
        if texts:
            parts.append(x509.RelativeDistinguishedName(x509.NameAttribute(oid, text) for text in texts))
    others = [
        *(x509.DNSName(name) for name in settings.get("dnsNames", [])),
        *(x509.IPAddress(ip_address(address)) for address in settings.get("ipAddresses", [])),
        *(x509.UniformResourceIdentifier(uri) for uri in settings.get("uris", [])),
    ]
    return _Subject(name=x509.Name(parts), others=others, key=key.public_key())


def _read(load: Callable[[bytes], _T], pem: str, what: str, kind: str) -> _T:
    try:
        return load(pem.encode())
    except ValueError:
        raise ProviderError(f"{what}: this is no {kind} in PEM") from None


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _key_id(certificate: x509.Certificate) -> bytes | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return None


def _alternatives(csr: x509.CertificateSigningRequest) -> Sequence[x509.GeneralName]:
    try:
        return list(csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return []
