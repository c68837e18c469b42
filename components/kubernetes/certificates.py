"""TLS of a stack: an authority of its own, and a certificate for each backend."""

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_tls as tls

from components.kubernetes.context import KubernetesContext

CURVE: Final = "P256"
AUTHORITY_HOURS: Final = 10 * 365 * 24
# `strata verify` fails when less than 30 days are left, so an `up` within the 15 days before renews in time.
CERTIFICATE_HOURS: Final = 90 * 24
RENEWAL_HOURS: Final = 45 * 24


@dataclass(frozen=True, kw_only=True)
class Lifetime:
    """Of a backend's certificate. Tests shorten it."""

    hours: int = CERTIFICATE_HOURS
    renewal_hours: int = RENEWAL_HOURS


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What a server shows and what clients verify it with; PEM."""

    certificate: pulumi.Output[str]
    key: pulumi.Output[str]
    ca: pulumi.Output[str]


class Authority(pulumi.ComponentResource):
    """The stack's own authority. Its key never leaves the state, where it is a secret."""

    def __init__(
        self,
        name: str,
        context: KubernetesContext,
        lifetime: Lifetime,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("strata:kubernetes:Authority", name, None, opts)
        self._context, self._lifetime = context, lifetime
        child = pulumi.ResourceOptions(parent=self)
        self._key = tls.PrivateKey(f"{name}-key", algorithm="ECDSA", ecdsa_curve=CURVE, opts=child)
        self._authority = tls.SelfSignedCert(
            f"{name}-certificate",
            private_key_pem=self._key.private_key_pem,
            subject={"common_name": f"Strata {context.naming.stack_label}"},
            is_ca_certificate=True,
            validity_period_hours=AUTHORITY_HOURS,
            allowed_uses=["cert_signing", "crl_signing"],
            opts=child,
        )
        self.register_outputs({"ca": self.ca})

    @property
    def ca(self) -> pulumi.Output[str]:
        found: pulumi.Output[str] = self._authority.cert_pem
        return found

    def certificate(self, service: str, opts: pulumi.ResourceOptions) -> Certificate:
        """For the pods of `service`, by every name that a client knows: in the cluster, and through a port-forward."""
        within = f"{service}.{self._context.namespace}"
        key = tls.PrivateKey(f"{service}-tls-key", algorithm="ECDSA", ecdsa_curve=CURVE, opts=opts)
        request = tls.CertRequest(
            f"{service}-tls-request",
            private_key_pem=key.private_key_pem,
            subject={"common_name": service},
            dns_names=[service, within, f"{within}.svc", f"{within}.svc.cluster.local", "localhost"],
            ip_addresses=["127.0.0.1", "::1"],
            opts=opts,
        )
        signed = tls.LocallySignedCert(
            f"{service}-tls-certificate",
            cert_request_pem=request.cert_request_pem,
            ca_private_key_pem=self._key.private_key_pem,
            ca_cert_pem=self._authority.cert_pem,
            validity_period_hours=self._lifetime.hours,
            early_renewal_hours=self._lifetime.renewal_hours,
            allowed_uses=["digital_signature", "key_encipherment", "server_auth"],
            opts=opts,
        )
        return Certificate(certificate=signed.cert_pem, key=key.private_key_pem, ca=self.ca)
