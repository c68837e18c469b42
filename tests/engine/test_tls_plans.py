"""The package tls: what is planned when, above all that certificates are renewed in time, and what is refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from engine import providers
from engine.providers.base import CheckFailed, Diff, Old, Properties, ProviderError, Unsupported
from engine.providers.tls import TlsProvider
from engine.providers.tls.schema import LOCALLY_SIGNED, PRIVATE_KEY, REQUEST, SELF_SIGNED
from engine.values import UNKNOWN
from tests.certificates import CA, LEAF, NAMES, NOW, Tls
from tests.engine.stack import Stack


@pytest.fixture
def tls() -> Tls:
    return Tls()


@pytest.mark.parametrize("kind", [PRIVATE_KEY, REQUEST, SELF_SIGNED, LOCALLY_SIGNED])
def test_nothing_changes_without_a_reason(kind: str, tls: Tls) -> None:
    olds: dict[str, Callable[[], Old]] = {
        PRIVATE_KEY: lambda: tls.made(PRIVATE_KEY, {"algorithm": "ED25519"}),
        REQUEST: lambda: tls.made(REQUEST, {"privateKeyPem": tls.key(), **NAMES}),
        SELF_SIGNED: lambda: tls.made(SELF_SIGNED, {**CA, "privateKeyPem": tls.key()}),
        LOCALLY_SIGNED: tls.leaf,
    }
    old = olds[kind]()
    assert tls.diff(kind, old) == Diff(changed=False)
    assert tls.provider.read(tls.call(kind), old) == old


@pytest.mark.parametrize(
    ("change", "replaces"),
    [
        ({"validityPeriodHours": 101}, True),
        ({"allowedUses": ["server_auth", "digital_signature"]}, True),
        ({"setSubjectKeyId": True}, True),
        ({"isCaCertificate": True}, True),
        ({"maxPathLength": 1}, True),
        ({"certRequestPem": UNKNOWN}, True),
        ({"caPrivateKeyPem": UNKNOWN}, True),
        ({"setSubjectKeyId": False, "isCaCertificate": False}, False),  # the defaults, written out
    ],
)
def test_another_setting_is_another_certificate(change: Properties, replaces: bool, tls: Tls) -> None:
    names = tuple(sorted(change)) if replaces else ()
    assert tls.diff(LOCALLY_SIGNED, tls.leaf(), **change) == Diff(replaces, replaces=names, paths=names)


def test_the_early_renewal_is_changed_in_place(tls: Tls) -> None:
    old = tls.leaf()
    assert tls.diff(LOCALLY_SIGNED, old, earlyRenewalHours=60) == Diff(changed=True, paths=("earlyRenewalHours",))
    inputs = {**old.inputs, "earlyRenewalHours": 60}
    outputs = tls.provider.update(tls.call(LOCALLY_SIGNED), old, inputs)
    assert outputs == {**old.outputs, "earlyRenewalHours": 60}
    assert tls.provider.diff(tls.call(LOCALLY_SIGNED), Old(old.id, inputs, outputs), inputs) == Diff(changed=False)
    assert tls.diff(LOCALLY_SIGNED, old, earlyRenewalHours=UNKNOWN).replaces == ()


def test_a_path_length_that_is_left_out_later_stays_as_it_was(tls: Tls) -> None:
    old = tls.leaf(isCaCertificate=True, maxPathLength=1)
    assert tls.diff(LOCALLY_SIGNED, old, maxPathLength=None) == Diff(changed=False)


def test_a_certificate_is_replaced_from_the_first_second_of_its_window_in_any_plan(tls: Tls) -> None:
    old = tls.leaf()
    window = NOW.replace(microsecond=0) + timedelta(hours=60)
    tls.now = window - timedelta(seconds=1)
    assert tls.diff(LOCALLY_SIGNED, old) == Diff(changed=False)
    for tls.now in (window, window + timedelta(hours=1000)):
        due = Diff(changed=True, replaces=("readyForRenewal",), paths=("readyForRenewal",))
        assert tls.diff(LOCALLY_SIGNED, old) == due
        read = tls.provider.read(tls.call(LOCALLY_SIGNED), old)
        assert read is not None
        assert read.outputs == {**old.outputs, "readyForRenewal": True}
        assert tls.diff(LOCALLY_SIGNED, read) == due
    tls.now = window
    read = Old(old.id, old.inputs, {**old.outputs, "readyForRenewal": True})
    paths = ("earlyRenewalHours", "readyForRenewal")
    assert tls.diff(LOCALLY_SIGNED, read, earlyRenewalHours=0) == Diff(changed=True, paths=paths)
    outputs = tls.provider.update(tls.call(LOCALLY_SIGNED), read, {**old.inputs, "earlyRenewalHours": 0})
    assert outputs["readyForRenewal"] is False


def test_the_official_providers_time_is_understood(tls: Tls) -> None:
    old = tls.leaf()
    there = Old(old.id, old.inputs, {**old.outputs, "validityEndTime": "2026-12-01T11:00:00.750041123-05:00"})
    tls.now = datetime(2026, 11, 29, 23, 59, 59, tzinfo=UTC)
    assert not tls.diff(LOCALLY_SIGNED, there).changed
    tls.now = datetime(2026, 11, 30, 0, 0, 1, tzinfo=UTC)
    assert tls.diff(LOCALLY_SIGNED, there).changed


@pytest.mark.parametrize("hours", [0, 40])
def test_a_certificate_that_every_up_replaces_is_pointed_out(hours: int, tls: Tls) -> None:
    assert tls.leaf(validityPeriodHours=hours).outputs["readyForRenewal"] is True
    assert "warning: x: earlyRenewalHours are not less than validityPeriodHours" in tls.said[-1]


def test_an_authority_that_is_none_is_pointed_out(tls: Tls) -> None:
    key = tls.key()
    other = tls.made(SELF_SIGNED, {**CA, "privateKeyPem": key, "isCaCertificate": False}).outputs["certPem"]
    tls.leaf(caCertPem=other, caPrivateKeyPem=key)
    assert "caCertPem is no certificate of an authority" in tls.said[-1]


@pytest.mark.parametrize(
    ("kind", "inputs", "reason"),
    [
        (PRIVATE_KEY, {}, "algorithm: is required"),
        (PRIVATE_KEY, {"algorithm": "DSA"}, "algorithm: must be one of RSA, ECDSA, ED25519"),
        (PRIVATE_KEY, {"algorithm": "RSA", "rsaBits": 512}, "rsaBits: must be at least 1024, and is 512"),
        (PRIVATE_KEY, {"algorithm": "RSA", "bits": 1}, "bits: unknown property"),
        (REQUEST, {"privateKeyPem": 5}, "privateKeyPem: must be a text"),
        (REQUEST, {"privateKeyPemWo": "x"}, "privateKeyPemWo: the embedded engine has no write-only properties"),
        (REQUEST, {"privateKeyPem": "x", "dnsNames": ["a", "ä"]}, r"dnsNames\[1\]: must be a text in ASCII"),
        (REQUEST, {"privateKeyPem": "x", "ipAddresses": ["1.2.3"]}, r"ipAddresses\[0\]: '1.2.3' is no IP address"),
        (REQUEST, {"privateKeyPem": "x", "subject": {"cn": "a"}}, "subject.cn: unknown property; there are commonName"),
        (REQUEST, {"privateKeyPem": "x", "subject": {"commonName": "a" * 65}}, "subject.commonName: X.509 allows 64"),
        (SELF_SIGNED, {**CA, "privateKeyPem": "x", "subject": {}}, "subject: must say something"),
        (
            SELF_SIGNED,
            {**CA, "privateKeyPem": "x", "allowedUses": ["tls"]},
            r"allowedUses\[0\]: must be one of any_ext",
        ),
        (
            SELF_SIGNED,
            {**CA, "privateKeyPem": "x", "validityPeriodHours": -1},
            "validityPeriodHours: must be at least 0",
        ),
    ],
)
def test_inputs_that_cannot_be_are_refused_by_name(kind: str, inputs: Properties, reason: str, tls: Tls) -> None:
    with pytest.raises(CheckFailed, match=reason):
        tls.provider.check(tls.call(kind), None, inputs)


def test_what_is_no_key_is_refused_without_being_shown(tls: Tls) -> None:
    authority, request = tls.authority(), tls.request(tls.key())
    secret = "SECRET" * 10
    broken = f"-----BEGIN EC PRIVATE KEY-----\n{secret}\n-----END EC PRIVATE KEY-----\n"
    inputs = {**authority, **request, **LEAF}
    changes: list[tuple[Properties, str]] = [
        ({"caPrivateKeyPem": broken}, "caPrivateKeyPem: this is no private key of RSA, ECDSA or ED25519"),
        ({"caPrivateKeyPem": tls.key()}, "caPrivateKeyPem: this is not the key of the certificate in caCertPem"),
        ({"caCertPem": broken}, "caCertPem: this is no certificate in PEM"),
        ({"certRequestPem": broken}, "certRequestPem: this is no certificate request in PEM"),
        ({"allowedUses": ["encipher_only"]}, "encipher_only and decipher_only are of key_agreement"),
    ]
    for change, reason in changes:
        with pytest.raises(ProviderError, match=reason) as caught:
            tls.made(LOCALLY_SIGNED, {**inputs, **change})
        assert "SECRET" not in str(caught.value)
        assert caught.value.__cause__ is None
    with pytest.raises(Unsupported, match="of package tls it has PrivateKey"):
        tls.provider.check(tls.call("tls:index/other:Other"), None, {})
    with pytest.raises(ProviderError, match=r"LocallySignedCert.get\('x'\): it is nowhere but in the state"):
        tls.provider.read(tls.call(LOCALLY_SIGNED), Old("1", {}, {}))


PROGRAM = """
import pulumi_tls as tls
ca_key = tls.PrivateKey("ca-key", algorithm="ECDSA", ecdsa_curve="P256")
ca = tls.SelfSignedCert("ca", private_key_pem=ca_key.private_key_pem, subject={"common_name": "CA"},
    is_ca_certificate=True, validity_period_hours=10000, allowed_uses=["cert_signing"])
key = tls.PrivateKey("key", algorithm="ECDSA", ecdsa_curve="P256")
request = tls.CertRequest("request", private_key_pem=key.private_key_pem, subject={"common_name": "db"},
    dns_names=["db"], ip_addresses=["127.0.0.1"])
leaf = tls.LocallySignedCert("leaf", cert_request_pem=request.cert_request_pem, ca_cert_pem=ca.cert_pem,
    ca_private_key_pem=ca_key.private_key_pem, validity_period_hours=100, early_renewal_hours=40,
    allowed_uses=["server_auth"])
export("ca", ca.cert_pem)
export("certificate", leaf.cert_pem)
export("key", key.private_key_pem)
"""


def test_a_program_has_its_certificates_and_they_are_renewed(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stack.up(PROGRAM).result.changes == {"create": 6}
    again = stack.up(expect_no_changes=True)
    assert again.result.exit_code == 0, again.text
    outputs = stack.outputs()
    assert outputs["key"] == "[secret]"
    assert outputs["certificate"].startswith("-----BEGIN CERTIFICATE")
    assert "PRIVATE KEY" not in stack.everything_on_disk() + again.text

    later = datetime.now(UTC) + timedelta(hours=61)
    monkeypatch.setitem(providers.OPENERS, "tls", lambda host: TlsProvider(host.say, lambda: later))
    plan = stack.preview()
    assert plan.result.changes == {"same": 5, "replace": 1}, plan.text
    renewed = stack.up()
    assert stack.outputs()["certificate"] != outputs["certificate"]
    assert stack.outputs()["ca"] == outputs["ca"], renewed.text
    assert stack.up(expect_no_changes=True).result.exit_code == 0
    assert stack.destroy().result.exit_code == 0
