"""What every platform can do. `infra/platforms.py` picks one; `tests/unit/test_platforms.py` holds them to it."""

from collections.abc import Mapping
from typing import Protocol

from components.claims import VolumeClaim
from components.naming import Naming
from components.services import BackendService
from components.specs import ObjectStoreSpec, PostgresSpec, QdrantSpec, RedisSpec


class Platform(Protocol):
    """Where backends run. Posture (hardening, network isolation) is what the class does, not a flag."""

    @property
    def kind(self) -> str: ...

    @property
    def guarantees(self) -> tuple[str, ...]:
        """Properties that smoke tests and policies may ask for: `encrypted_at_rest`, `tls`, `network_isolated`."""

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
