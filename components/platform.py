"""What every platform can do. `infra/platforms.py` picks one; `tests/unit/test_platforms.py` holds them to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import pulumi

from components.claims import VolumeClaim
from components.naming import Naming
from components.services import BackendService
from components.specs import ObjectStoreSpec, PostgresSpec, QdrantSpec, RedisSpec


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """An application's configuration as it is delivered: variables, those of them with a secret in it, and files."""

    variables: Mapping[str, str]
    secrets: Mapping[str, str]
    files: Mapping[str, str]
    checksum: str  # of all of it; says nothing about it


class Platform(Protocol):
    """Where backends run. Posture (hardening, network isolation) is what the class does, not a flag."""

    @property
    def kind(self) -> str: ...

    @property
    def guarantees(self) -> tuple[str, ...]:
        """Properties that smoke tests and policies may ask for: `encrypted_at_rest`, `tls`, `network_isolated`."""

    @property
    def delivers(self) -> bool:
        """Whether `deliver` does anything: else nobody need render a configuration."""

    @property
    def naming(self) -> Naming:
        """Physical names, also of what lies inside backends."""

    def postgres(self, spec: PostgresSpec) -> BackendService: ...

    def redis(self, spec: RedisSpec) -> BackendService: ...

    def dedicated_redis(self, application: str, spec: RedisSpec) -> BackendService:
        """A Redis that one application has for itself; the service's `password` is that of its user `default`."""

    def qdrant(self, spec: QdrantSpec) -> BackendService: ...

    def object_store(self, spec: ObjectStoreSpec) -> BackendService: ...

    def volumes(self, application: str, claims: Mapping[str, VolumeClaim]) -> Mapping[str, str]:
        """Makes an application's volumes, which are data and stay; by logical name, what its containers mount."""

    def kept_secret(
        self, logical: str, application: str, secret: str, content: pulumi.Output[str], opts: pulumi.ResourceOptions
    ) -> pulumi.Output[str]:
        """A secret of an application that kept data depends on: the one that was kept, or else `content`, kept."""

    def deliver(self, application: str, configuration: pulumi.Output[Configuration]) -> None:
        """Gives an application its configuration where it runs."""
