"""The provider of package tls at a time that tests move, what it is given, and clients for what it makes."""

import ssl
import warnings
from datetime import UTC, datetime
from typing import Any

from engine.providers.base import Call, Diff, Old, Properties
from engine.providers.tls import TlsProvider
from engine.providers.tls.schema import LOCALLY_SIGNED, PRIVATE_KEY, REQUEST, SELF_SIGNED

NOW = datetime(2026, 11, 27, 12, 0, 0, 123456, tzinfo=UTC)
NAMES = {"dnsNames": ["db", "db.ns.svc", "localhost"], "ipAddresses": ["127.0.0.1", "::1"], "uris": ["spiffe://a/b"]}
CA: Properties = {
    "subject": {
        "commonName": "An authority",
        "organization": "Somebody",
        "country": "DE",
        "streetAddresses": ["a", "b"],
    },
    "isCaCertificate": True,
    "validityPeriodHours": 1000,
    "allowedUses": ["cert_signing", "crl_signing"],
}
LEAF: Properties = {
    "validityPeriodHours": 100,
    "earlyRenewalHours": 40,
    "allowedUses": ["digital_signature", "server_auth"],
}


class Tls:
    """The provider at a time that tests move."""

    def __init__(self) -> None:
        self.now, self.said = NOW, [""]
        self.provider = TlsProvider(lambda text, severity: self.said.append(f"{severity}: {text}"), lambda: self.now)

    def made(self, kind: str, inputs: Properties) -> Old:
        checked = self.provider.check(self.call(kind), None, inputs)
        assert checked == inputs, "the official provider records the program's inputs and nothing else"
        id_, outputs = self.provider.create(self.call(kind), checked)
        return Old(id_, checked, outputs)

    def key(self, **inputs: Any) -> str:
        made = self.made(PRIVATE_KEY, inputs or {"algorithm": "ECDSA", "ecdsaCurve": "P256"})
        return str(made.outputs["privateKeyPem"])

    def authority(self, **inputs: Any) -> Properties:
        made = self.made(SELF_SIGNED, {**CA, "privateKeyPem": self.key(), **inputs}).outputs
        return {"caCertPem": made["certPem"], "caPrivateKeyPem": made["privateKeyPem"]}

    def request(self, key: str, **inputs: Any) -> Properties:
        made = self.made(REQUEST, {"privateKeyPem": key, "subject": {"commonName": "db"}, **NAMES, **inputs})
        return {"certRequestPem": made.outputs["certRequestPem"]}

    def leaf(self, **inputs: Any) -> Old:
        return self.made(LOCALLY_SIGNED, {**self.authority(), **self.request(self.key()), **LEAF, **inputs})

    def server(self, authority: Properties | None = None) -> dict[str, str]:
        """The files of a server's certificate, as a Secret has them."""
        authority, key = authority or self.authority(), self.key()
        made = self.made(LOCALLY_SIGNED, {**authority, **self.request(key), **LEAF})
        return {"tls.crt": made.outputs["certPem"], "tls.key": key, "ca.crt": authority["caCertPem"]}

    def diff(self, kind: str, old: Old, **inputs: Any) -> Diff:
        wanted = {key: value for key, value in {**old.inputs, **inputs}.items() if value is not None}
        return self.provider.diff(self.call(kind), old, wanted)

    @staticmethod
    def call(kind: str) -> Call:
        return Call(urn="urn", type=kind, name="x")


def trusting(*cas: str) -> ssl.SSLContext:
    """A client of today, which verifies certificate and name."""
    return ssl.create_default_context(cadata="".join(cas))


def old(ca: str) -> ssl.SSLContext:
    """A client that knows TLS 1.1 and nothing newer."""
    context = trusting(ca)
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context
