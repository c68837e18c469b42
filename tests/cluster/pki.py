"""The cluster's certificates, and the kubeconfigs that hold them. All is kept, and only made when it is missing."""

import base64
import ipaddress
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.cluster.home import API_SERVICE, Home, Node, write_whole

_YEARS = timedelta(days=3650)


def make(home: Home, nodes: Iterable[Node]) -> None:
    """Makes every certificate, key and kubeconfig that is missing."""
    home.pki.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority = _authority(home.pki)
    first = Node(1)
    service = "kubernetes.default.svc.cluster.local"
    names = [".".join(service.split(".")[:length]) for length in (1, 2, 3, 5)]
    _certificate(home.pki, authority, "apiserver", "kube-apiserver", hosts=[*first.addresses, API_SERVICE, *names])
    _certificate(home.pki, authority, "kubelet-client", "kube-apiserver-kubelet-client", "system:masters")
    _certificate(home.pki, authority, "front-proxy-client", "front-proxy-client")
    _certificate(home.pki, authority, "admin", "kubernetes-admin", "system:masters")
    _certificate(home.pki, authority, "kube-controller-manager", "system:kube-controller-manager")
    _certificate(home.pki, authority, "kube-scheduler", "system:kube-scheduler")
    _certificate(home.pki, authority, "kube-proxy", "system:kube-proxy")
    for node in nodes:
        user = f"system:node:{node.name}"
        _certificate(home.pki, authority, node.name, user, "system:nodes", hosts=[*node.addresses, node.name])
        _kubeconfig(home, node.name)
    for user in ("admin", "kube-controller-manager", "kube-scheduler", "kube-proxy"):
        _kubeconfig(home, user)
    if not (home.pki / "service-accounts.key").is_file():
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        write_whole(home.pki / "service-accounts.pub", public)
        write_whole(home.pki / "service-accounts.key", _pem(key), 0o600)
    write_whole(home.kubeconfig, kubeconfig(home, "admin").read_bytes(), 0o600)


def kubeconfig(home: Home, user: str) -> Path:
    return home.pki / f"{user}.kubeconfig"


_Authority = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _authority(folder: Path) -> _Authority:
    if not (folder / "ca.key").is_file():
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("strata-cluster")
        builder = _builder(name, name, key).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        certificate = builder.sign(key, hashes.SHA256())
        write_whole(folder / "ca.crt", certificate.public_bytes(serialization.Encoding.PEM))
        write_whole(folder / "ca.key", _pem(key), 0o600)
    loaded = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    return x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes()), loaded


def _certificate(
    folder: Path, authority: _Authority, file: str, user: str, group: str | None = None, hosts: Iterable[str] = ()
) -> None:
    if (folder / f"{file}.key").is_file():
        return
    issuer, signer = authority
    key = ec.generate_private_key(ec.SECP256R1())
    usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
    builder = _builder(_name(user, group), issuer.subject, key).add_extension(usages, critical=False)
    if names := [_general_name(host) for host in hosts]:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    certificate = builder.sign(signer, hashes.SHA256())
    write_whole(folder / f"{file}.crt", certificate.public_bytes(serialization.Encoding.PEM))
    write_whole(folder / f"{file}.key", _pem(key), 0o600)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + _YEARS)


def _name(user: str, group: str | None = None) -> x509.Name:
    parts = [(NameOID.ORGANIZATION_NAME, group)] if group else []
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in [*parts, (NameOID.COMMON_NAME, user)]])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption())


def _kubeconfig(home: Home, user: str) -> None:
    def data(name: str) -> str:
        return base64.b64encode((home.pki / name).read_bytes()).decode()

    name = "strata"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": name,
                "cluster": {
                    "server": f"https://{Node(1).addresses[0]}:6443",
                    "certificate-authority-data": data("ca.crt"),
                },
            }
        ],
        "users": [
            {
                "name": user,
                "user": {"client-certificate-data": data(f"{user}.crt"), "client-key-data": data(f"{user}.key")},
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        "current-context": name,
    }
    write_whole(kubeconfig(home, user), json.dumps(content, indent=1).encode(), 0o600)  # JSON is YAML
