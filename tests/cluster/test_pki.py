"""Certificates: of one authority, for the right names, kept, and their keys readable by the owner alone."""

import ipaddress
import json
from pathlib import Path

import pytest
from cryptography import x509

from tests.cluster import pki
from tests.cluster.home import Home, Node

NODES = [Node(1), Node(2)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home"))
    home.run.mkdir()
    pki.make(home, NODES)
    return home


def certificate(home: Home, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((home.pki / f"{name}.crt").read_bytes())


def names(found: x509.Certificate) -> set[str]:
    extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = extension.get_values_for_type(x509.IPAddress)
    return {*extension.get_values_for_type(x509.DNSName), *map(str, addresses)}


def test_every_certificate_is_of_the_clusters_authority(home: Home) -> None:
    authority = certificate(home, "ca")
    for path in home.pki.glob("*.crt"):
        x509.load_pem_x509_certificate(path.read_bytes()).verify_directly_issued_by(authority)


def test_the_api_server_has_the_names_that_pods_and_this_machine_use(home: Home) -> None:
    wanted = {"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}
    assert names(certificate(home, "apiserver")) >= wanted | {"10.96.0.1", "10.250.0.1"}


def test_a_node_is_one_node(home: Home) -> None:
    found = certificate(home, "strata-2")
    assert names(found) == {"strata-2", "10.250.0.2", str(ipaddress.ip_address("fd00:10:250::2"))}
    assert "CN=system:node:strata-2" in found.subject.rfc4514_string()
    assert "O=system:nodes" in found.subject.rfc4514_string()


def test_no_key_is_readable_by_others(home: Home) -> None:
    secret = [*home.pki.glob("*.key"), *home.pki.glob("*.kubeconfig"), home.kubeconfig]
    assert len(secret) > 10
    assert {oct(path.stat().st_mode & 0o777) for path in secret} == {"0o600"}
    assert oct(home.pki.stat().st_mode & 0o777) == "0o700"


def test_a_second_time_changes_nothing(home: Home) -> None:
    def contents() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in [*home.pki.iterdir(), home.kubeconfig]}

    before = contents()
    pki.make(home, NODES)
    assert contents() == before


def test_the_kubeconfig_is_one_of_an_administrator(home: Home) -> None:
    config = json.loads(home.kubeconfig.read_text())
    assert config["clusters"][0]["cluster"]["server"] == "https://10.250.0.1:6443"
    assert "O=system:masters" in certificate(home, "admin").subject.rfc4514_string()
