"""The package tls: what it makes verifies, and is recorded in the official provider's shapes."""

import base64
import re
import socket
import ssl
import threading
from datetime import UTC, datetime
from hashlib import md5, sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from engine.providers.base import Old, Properties
from engine.providers.tls.schema import LOCALLY_SIGNED, PRIVATE_KEY, REQUEST, SELF_SIGNED
from tests.certificates import CA, LEAF, NAMES, Tls


@pytest.fixture
def tls() -> Tls:
    return Tls()


def certificate(made: Old) -> x509.Certificate:
    return x509.load_pem_x509_certificate(made.outputs["certPem"].encode())


KINDS = [
    {"algorithm": "RSA"},
    {"algorithm": "RSA", "rsaBits": 3072},
    {"algorithm": "ECDSA"},
    {"algorithm": "ECDSA", "ecdsaCurve": "P256"},
    {"algorithm": "ECDSA", "ecdsaCurve": "P384"},
    {"algorithm": "ED25519"},
]


@pytest.mark.parametrize("inputs", KINDS, ids=lambda inputs: "-".join(map(str, inputs.values())))
def test_a_key_in_all_its_forms(inputs: Properties, tls: Tls) -> None:
    made = tls.made(PRIVATE_KEY, inputs)
    outputs = {**made.outputs}
    settings = {"algorithm": None, "rsaBits": 2048, "ecdsaCurve": "P224", **inputs}
    assert {key: outputs.pop(key) for key in settings} == settings, "the official provider would make another key"
    assert outputs.pop("__meta") == '{"schema_version":"1"}'
    assert outputs.pop("id") == made.id
    assert re.fullmatch(r"[0-9a-f]{40}", made.id)
    headers = {"RSA": "RSA PRIVATE KEY", "ECDSA": "EC PRIVATE KEY", "ED25519": "PRIVATE KEY"}
    assert outputs["privateKeyPem"].startswith(f"-----BEGIN {headers[inputs['algorithm']]}-----\n")
    assert outputs["privateKeyPemPkcs8"].startswith("-----BEGIN PRIVATE KEY-----\n")
    ssh = {key: outputs.pop(key) for key in sorted(outputs) if "Openssh" in key or "Fingerprint" in key}
    keys = [
        serialization.load_pem_private_key(outputs.pop(form).encode(), None)
        for form in ("privateKeyPem", "privateKeyPemPkcs8")
    ]
    public = {key.public_key().public_bytes(*PUBLIC).decode() for key in keys}
    assert public == {outputs.pop("publicKeyPem")}
    assert outputs == {}
    if settings["algorithm"] == "ECDSA" and settings["ecdsaCurve"] == "P224":
        assert set(ssh.values()) == {""}, "SSH knows no P224"
        return
    assert ssh["publicKeyOpenssh"].endswith("\n")
    again = serialization.load_ssh_private_key(ssh["privateKeyOpenssh"].encode(), None)
    assert again.public_key().public_bytes(*PUBLIC).decode() in public
    blob = base64.b64decode(ssh["publicKeyOpenssh"].split()[1])
    assert ssh["publicKeyFingerprintSha256"] == f"SHA256:{base64.b64encode(sha256(blob).digest()).decode().rstrip('=')}"
    assert ssh["publicKeyFingerprintMd5"] == md5(blob, usedforsecurity=False).digest().hex(":")


PUBLIC = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("kind", KINDS, ids=lambda inputs: "-".join(map(str, inputs.values())))
def test_a_client_verifies_the_chain_and_every_name_and_nobody_elses(
    kind: Properties, tls: Tls, tmp_path: Path
) -> None:
    tls.now = datetime.now(UTC)
    ca_key, key = tls.key(**kind), tls.key(algorithm="ECDSA", ecdsaCurve="P256")
    authority = tls.authority(privateKeyPem=ca_key)
    leaf = tls.made(LOCALLY_SIGNED, {**authority, **tls.request(key), **LEAF})
    (tmp_path / "pair").write_text(leaf.outputs["certPem"] + key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "pair")

    trusting = ssl.create_default_context(cadata=authority["caCertPem"])
    for name in ("db", "db.ns.svc", "localhost", "127.0.0.1", "::1"):
        assert greeted(server, trusting, name)
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        greeted(server, trusting, "other")
    with pytest.raises(ssl.SSLCertVerificationError, match=r"unable to get local issuer|self.signed"):
        greeted(server, ssl.create_default_context(cadata=tls.authority()["caCertPem"]), "db")


def greeted(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> str | None:
    """The protocol that the two agree on."""
    here, there = socket.socketpair()

    def serve() -> None:
        try:
            server.wrap_socket(there, server_side=True).close()
        except OSError:
            there.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(here, server_hostname=name) as wrapped:
            return wrapped.version()
    finally:
        here.close()
        thread.join(10)


def test_an_authority_is_recorded_and_made_as_the_official_provider_does(tls: Tls) -> None:
    key = tls.key()
    made = tls.made(SELF_SIGNED, {**CA, "privateKeyPem": key, "maxPathLength": 0, "setAuthorityKeyId": True})
    outputs = {**made.outputs}
    cert = certificate(made)
    assert outputs.pop("certPem").startswith("-----BEGIN CERTIFICATE-----\n")
    assert outputs == {
        **CA,
        "privateKeyPem": key,
        "maxPathLength": 0,
        "earlyRenewalHours": 0,
        "setSubjectKeyId": False,
        "setAuthorityKeyId": True,
        "keyAlgorithm": "ECDSA",
        "readyForRenewal": False,
        "validityStartTime": "2026-11-27T12:00:00Z",
        "validityEndTime": "2027-01-08T04:00:00Z",
        "id": str(cert.serial_number),
    }
    assert made.id == outputs["id"]
    assert cert.subject == cert.issuer
    assert cert.subject.rfc4514_string() == "CN=An authority,STREET=a+STREET=b,O=Somebody,C=DE"
    assert cert.not_valid_after_utc == datetime(2027, 1, 8, 4, tzinfo=UTC)
    constraints = cert.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value) == (True, x509.BasicConstraints(ca=True, path_length=0))
    usage = cert.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)
    own = cert.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert cert.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier == own


def test_what_an_authority_signs_has_the_requests_names_and_its_own_uses(tls: Tls) -> None:
    made = tls.leaf(setSubjectKeyId=True)
    cert, outputs = certificate(made), {**made.outputs}
    for given in ("caCertPem", "caPrivateKeyPem", "certRequestPem", "certPem"):
        assert outputs.pop(given)
    assert outputs == {
        **LEAF,
        "isCaCertificate": False,
        "setSubjectKeyId": True,
        "caKeyAlgorithm": "ECDSA",
        "readyForRenewal": False,
        "validityStartTime": "2026-11-27T12:00:00Z",
        "validityEndTime": "2026-12-01T16:00:00Z",
        "id": str(cert.serial_number),
    }
    assert cert.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "db"
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == NAMES["dnsNames"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == NAMES["ipAddresses"]
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == NAMES["uris"]
    extended = cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(extended) == [ExtendedKeyUsageOID.SERVER_AUTH]
    authority = x509.load_pem_x509_certificate(made.outputs["caCertPem"].encode())
    its_id = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert cert.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier == its_id
    cert.verify_directly_issued_by(authority)


def test_a_request_is_recorded_as_the_official_provider_does(tls: Tls) -> None:
    key = tls.key()
    made = tls.made(REQUEST, {"privateKeyPem": key, **NAMES})
    outputs = {**made.outputs}
    assert outputs.pop("certRequestPem").startswith("-----BEGIN CERTIFICATE REQUEST-----\n")
    assert re.fullmatch(r"[0-9a-f]{40}", outputs.pop("id"))
    assert outputs == {"privateKeyPem": key, **NAMES, "keyAlgorithm": "ECDSA"}
