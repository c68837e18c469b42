"""Secrets and tokens of an application's own, which no backend knows: generated for each stack."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_random as random

from components.claims import Application, SecretClaim
from components.jwt_hs256 import sign
from components.platform import Platform


class ApplicationSecrets(pulumi.ComponentResource):
    """`secrets` and `tokens` by name, secret from birth. A token follows its secret: another one ends it."""

    def __init__(
        self, name: str, application: Application, platform: Platform, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strata:slices:Secrets", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.secrets = {
            secret: self._secret(application.name, secret, claim, platform)
            for secret, claim in application.secrets.items()
        }
        self.tokens = {
            token: _signed(claim.claims, self.secrets[claim.signed_with]) for token, claim in application.tokens.items()
        }
        self.register_outputs({"secrets": sorted(self.secrets), "tokens": sorted(self.tokens)})

    def _secret(self, application: str, secret: str, claim: SecretClaim, platform: Platform) -> pulumi.Output[str]:
        logical = f"{application}-secret-{secret}"
        keepers = {"rotation": str(claim.rotation)}
        made = random.RandomPassword(logical, length=claim.length, special=False, keepers=keepers, opts=self._child)
        if not claim.keep:
            return pulumi.Output.secret(made.result)
        kept = platform.kept_secret(f"{logical}-kept", application, secret, made.result, self._child)
        return pulumi.Output.secret(kept)


def _signed(claims: Mapping[str, Any], secret: pulumi.Output[str]) -> pulumi.Output[str]:
    """In one order, so that claims which only changed places make no other token."""
    return secret.apply(lambda key: sign(dict(sorted(claims.items())), key))
