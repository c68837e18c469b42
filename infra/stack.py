"""The stack: backends from the platform, a slice of each for every application, and the outputs that describe them.

Nothing here knows which platform it runs on.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pulumi

from components.applications import (
    ApplicationSecrets,
    DedicatedRedisSlice,
    Login,
    ObjectStoreSlice,
    PostgresSlice,
    QdrantSlice,
    RedisSlice,
)
from components.claims import Application
from components.naming import Naming
from components.platform import Platform
from components.services import BackendService
from components.slices import (
    ObjectStoreRoster,
    ObjectStoreRosterArgs,
    PostgresRoster,
    QdrantRoster,
    RedisRoster,
    RosterArgs,
    load_migrations,
)
from infra import contract
from infra.settings import Settings


@dataclass
class Outputs:
    """What the stack exports: the contract's public part, and `credentials`, the one output with secrets in it.

    There the passwords are the secrets, and the names beside them are not: else an engine that masks secrets would
    mask the name of a database in its messages.
    """

    backends: dict[str, Any] = field(default_factory=dict)
    applications: dict[str, dict[str, Any]] = field(default_factory=dict)
    credentials: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add_slice(self, application: str, backend: str, login: Login, facts: Mapping[str, Any]) -> None:
        self.applications.setdefault(application, {})[backend] = {
            **facts,
            "username": login.username,
            "secret_ref": _secret_ref(application, backend),
        }
        self.credentials.setdefault(application, {})[backend] = _credential(login)

    def add_login(self, application: str, backend: str, kind: str, login: Login) -> None:
        """A login beside the one that `add_slice` added: `readonly`, or `previous`."""
        self.applications[application][backend][kind] = {
            "username": login.username,
            "secret_ref": _secret_ref(application, backend, kind),
        }
        self.credentials[application][backend][kind] = _credential(login)

    def add_volumes(self, application: Application, names: Mapping[str, str]) -> None:
        volumes = {
            logical: {"name": names[logical], "size": claim.size, "description": claim.description}
            for logical, claim in application.volumes.items()
        }
        facts = {name: {k: v for k, v in volume.items() if v is not None} for name, volume in volumes.items()}
        self.applications.setdefault(application.name, {})["volumes"] = facts

    def add_secrets(self, application: Application, made: ApplicationSecrets) -> None:
        """Those of the application's own, which belong to no backend."""
        public = self.applications.setdefault(application.name, {})
        hidden = self.credentials.setdefault(application.name, {})
        for kind, values in (("secrets", made.secrets), ("tokens", made.tokens)):
            if values:
                hidden[kind] = values
                public[kind] = {name: {"secret_ref": _secret_ref(application.name, kind, name)} for name in values}
        for name, token in application.tokens.items():
            public["tokens"][name]["claims"] = token.claims


def deploy(settings: Settings, applications: tuple[Application, ...], platform: Platform, root: Path) -> Outputs:
    """Declare everything."""
    postgres, redis = platform.postgres(settings.postgres), platform.redis(settings.redis)
    qdrant, object_store = platform.qdrant(settings.qdrant), platform.object_store(settings.object_store)
    backends = {"postgres": postgres, "redis": redis, "qdrant": qdrant, "object_store": object_store}
    outputs = Outputs(backends={name: _backend(service) for name, service in backends.items()})
    _postgres_slices(applications, postgres, root, outputs)
    _redis_slices(applications, redis, settings, platform, outputs)
    _qdrant_slices(applications, qdrant, outputs)
    _object_store_slices(applications, object_store, settings.object_store.region, platform.naming, outputs)
    for application in applications:
        if application.volumes:
            outputs.add_volumes(application, platform.volumes(application.name, application.volumes))
        if application.secrets:
            outputs.add_secrets(application, ApplicationSecrets(f"{application.name}-secrets", application, platform))
    return outputs


def export(settings: Settings, platform: Platform, outputs: Outputs) -> None:
    """Register the stack's outputs, in the contract's shape."""
    pulumi.export("contract_version", contract.CONTRACT_VERSION)
    pulumi.export("platform", platform.kind)
    pulumi.export("stage", settings.stage.value)
    pulumi.export("guarantees", list(platform.guarantees))
    pulumi.export("backends", outputs.backends)
    pulumi.export("applications", outputs.applications)
    pulumi.export(contract.CREDENTIALS, outputs.credentials)


def _postgres_slices(
    applications: tuple[Application, ...], service: BackendService, root: Path, outputs: Outputs
) -> None:
    logins: list[str] = []
    made: list[pulumi.Resource] = []
    for application in applications:
        if application.postgres is None:
            continue
        migrations = load_migrations(root / "applications" / application.name / "migrations")
        part = PostgresSlice(f"{application.name}-postgres", application, application.postgres, service, migrations)
        facts = {"database": part.database, "schema_version": part.schema_version}
        outputs.add_slice(application.name, "postgres", part.login, facts)
        outputs.add_login(application.name, "postgres", "readonly", part.reader)
        logins += [part.login.username, part.reader.username]
        made += part.ready
    PostgresRoster("postgres-roster", _roster(service, logins), opts=_after(service, made))


def _redis_slices(
    applications: tuple[Application, ...],
    service: BackendService,
    settings: Settings,
    platform: Platform,
    outputs: Outputs,
) -> None:
    logins: list[str] = []
    made: list[pulumi.Resource] = []
    for application in applications:
        claim = application.redis
        if claim is None:
            continue
        if claim.server is not None:
            own = platform.dedicated_redis(application.name, settings.redis.of(application.name, claim.server))
            alone = DedicatedRedisSlice(f"{application.name}-redis", own)
            facts = {"prefix": "", "db": 0, "server": _backend(own)}
            outputs.add_slice(application.name, "redis", alone.login, facts)
            continue
        part = RedisSlice(f"{application.name}-redis", application, claim, service)
        outputs.add_slice(application.name, "redis", part.login, {"prefix": part.prefix, "db": 0})
        logins.append(part.login.username)
        made += part.ready
    RedisRoster("redis-roster", _roster(service, logins), opts=_after(service, made))


def _qdrant_slices(applications: tuple[Application, ...], service: BackendService, outputs: Outputs) -> None:
    logins: list[str] = []
    made: list[pulumi.Resource] = []
    for application in applications:
        if application.qdrant is None:
            continue
        part = QdrantSlice(f"{application.name}-qdrant", application, application.qdrant, service)
        outputs.add_slice(application.name, "qdrant", part.login, {"collections": part.collections})
        outputs.add_login(application.name, "qdrant", "readonly", part.reader)
        outputs.add_login(application.name, "qdrant", "previous", part.previous)
        logins += [login.username for login in (part.login, part.reader, part.previous)]
        made += part.ready
    QdrantRoster("qdrant-roster", _roster(service, logins), opts=_after(service, made))


def _object_store_slices(
    applications: tuple[Application, ...], service: BackendService, region: str, naming: Naming, outputs: Outputs
) -> None:
    logins: list[str] = []
    public: list[str] = []
    made: list[pulumi.Resource] = []
    for application in applications:
        claim = application.object_store
        if claim is None:
            continue
        part = ObjectStoreSlice(f"{application.name}-object-store", application, claim, service, naming)
        facts = {"buckets": part.buckets, "region": region, "path_style": True}
        outputs.add_slice(application.name, "object_store", part.login, facts)
        outputs.add_login(application.name, "object_store", "previous", part.previous)
        logins += [part.login.username, part.previous.username]
        public += [bucket["name"] for bucket in part.buckets.values() if bucket["public"]]
        made += part.ready
    roster = ObjectStoreRosterArgs(
        admin=service.admin, identity=service.identity, logins=sorted(logins), public=sorted(public)
    )
    ObjectStoreRoster("object-store-roster", roster, opts=_after(service, made))


def _roster(service: BackendService, logins: list[str]) -> RosterArgs:
    return RosterArgs(admin=service.admin, identity=service.identity, logins=sorted(logins))


def _after(service: BackendService, made: list[pulumi.Resource]) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(depends_on=[service.ready, *made], deleted_with=service.resource)


def _backend(service: BackendService) -> dict[str, Any]:
    views: dict[str, dict[str, Any]] = {}
    for name, view in service.views.items():
        access = {"kind": "direct"} if view.access is None else {"kind": "port-forward", **_known(view.access)}
        views[name] = {"host": view.host, "port": view.port, "tls": view.tls, "access": access}
        if view.grpc_port is not None:
            views[name]["grpc_port"] = view.grpc_port
    backend = {"version": service.version, "views": views, "runtime": _known(service.runtime)}
    return backend if service.ca is None else {**backend, "ca": service.ca}


def _known(facts: Any) -> dict[str, Any]:
    """Of a dataclass, what is set."""
    return {key: value for key, value in asdict(facts).items() if value is not None}


def _secret_ref(*keys: str) -> dict[str, Any]:
    return {"kind": "stack_output", "name": contract.CREDENTIALS, "keys": list(keys)}


def _credential(login: Login) -> dict[str, pulumi.Input[str]]:
    return {"username": login.username, "password": login.password}
