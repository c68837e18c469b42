"""What every state holds of a provider: a reference to its class, and what Pulumi's own host makes of it."""

import base64
import pickletools
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf import struct_pb2
from pulumi.dynamic import Resource
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc
from pulumi.runtime.rpc import UNKNOWN

import components.slices as slices
from components.slices.docker_preflight import DockerPreflightProvider
from components.slices.kept_secret import KeptSecretProvider
from components.slices.kubernetes_preflight import KubernetesPreflightProvider
from components.slices.object_store.bucket import BucketProvider
from components.slices.object_store.public_bucket import PublicBucketProvider
from components.slices.object_store.roster import ObjectStoreRosterProvider
from components.slices.object_store.user import ObjectStoreUserProvider
from components.slices.postgres.database import DatabaseProvider
from components.slices.postgres.migrations import MigrationsProvider
from components.slices.postgres.role import RoleProvider
from components.slices.postgres.roster import PostgresRosterProvider
from components.slices.qdrant.collection import CollectionProvider
from components.slices.qdrant.login import QdrantLoginProvider
from components.slices.qdrant.roster import QdrantRosterProvider
from components.slices.ready import ReadyProvider
from components.slices.redis.default_user import RedisDefaultUserProvider
from components.slices.redis.roster import RedisRosterProvider
from components.slices.redis.user import RedisUserProvider
from components.slices.resource import SliceProvider
from components.slices.rollout import RolloutProvider
from components.slices.secret_file import SecretFileProvider

# Never edit a line: states in the world hold these paths, and could not delete what they made. To move a class, leave
# an importable name at its old path.
GOLDEN: dict[type[SliceProvider], tuple[type[Resource], str, str]] = {
    BucketProvider: (slices.Bucket, "Bucket", "components.slices.object_store.bucket BucketProvider"),
    CollectionProvider: (slices.Collection, "Collection", "components.slices.qdrant.collection CollectionProvider"),
    QdrantLoginProvider: (slices.QdrantLogin, "QdrantLogin", "components.slices.qdrant.login QdrantLoginProvider"),
    QdrantRosterProvider: (slices.QdrantRoster, "QdrantRoster", "components.slices.qdrant.roster QdrantRosterProvider"),
    DatabaseProvider: (slices.Database, "Database", "components.slices.postgres.database DatabaseProvider"),
    DockerPreflightProvider: (
        slices.DockerPreflight,
        "DockerPreflight",
        "components.slices.docker_preflight DockerPreflightProvider",
    ),
    MigrationsProvider: (slices.Migrations, "Migrations", "components.slices.postgres.migrations MigrationsProvider"),
    ObjectStoreRosterProvider: (
        slices.ObjectStoreRoster,
        "ObjectStoreRoster",
        "components.slices.object_store.roster ObjectStoreRosterProvider",
    ),
    ObjectStoreUserProvider: (
        slices.ObjectStoreUser,
        "ObjectStoreUser",
        "components.slices.object_store.user ObjectStoreUserProvider",
    ),
    KeptSecretProvider: (slices.KeptSecret, "KeptSecret", "components.slices.kept_secret KeptSecretProvider"),
    KubernetesPreflightProvider: (
        slices.KubernetesPreflight,
        "KubernetesPreflight",
        "components.slices.kubernetes_preflight KubernetesPreflightProvider",
    ),
    RolloutProvider: (slices.Rollout, "Rollout", "components.slices.rollout RolloutProvider"),
    PostgresRosterProvider: (
        slices.PostgresRoster,
        "PostgresRoster",
        "components.slices.postgres.roster PostgresRosterProvider",
    ),
    PublicBucketProvider: (
        slices.PublicBucket,
        "PublicBucket",
        "components.slices.object_store.public_bucket PublicBucketProvider",
    ),
    ReadyProvider: (slices.Ready, "Ready", "components.slices.ready ReadyProvider"),
    RedisDefaultUserProvider: (
        slices.RedisDefaultUser,
        "RedisDefaultUser",
        "components.slices.redis.default_user RedisDefaultUserProvider",
    ),
    RedisRosterProvider: (slices.RedisRoster, "RedisRoster", "components.slices.redis.roster RedisRosterProvider"),
    RedisUserProvider: (slices.RedisUser, "RedisUser", "components.slices.redis.user RedisUserProvider"),
    RoleProvider: (slices.Role, "Role", "components.slices.postgres.role RoleProvider"),
    SecretFileProvider: (slices.SecretFile, "SecretFile", "components.slices.secret_file SecretFileProvider"),
}


@pytest.mark.parametrize("provider", GOLDEN, ids=lambda provider: provider.__name__)
def test_the_state_holds_a_reference_to_the_class_and_nothing_else(provider: type[SliceProvider]) -> None:
    resource, token, path = GOLDEN[provider]
    content = base64.b64decode(serialize_provider(provider()))
    strings = [arg for _, arg, _ in pickletools.genops(content) if isinstance(arg, str)]
    assert strings == path.split()
    assert len(content) < 200, "code or values were pickled: each change of them would be planned"
    assert resource._resource_type_name == f"dynamic/strata:{token}"


def test_every_provider_is_in_the_list() -> None:
    assert set(SliceProvider.__subclasses__()) == set(GOLDEN)


def test_what_providers_preload_exists() -> None:
    clients = {provider.client for provider in GOLDEN if provider.client}
    for provider in GOLDEN:
        provider().preload()
    assert clients == {"docker", "lightkube.config.client_adapter", "minio", "psycopg", "redis", "urllib3"}
    assert clients <= set(sys.modules)


@pytest.fixture(scope="module")
def host() -> Iterator[provider_pb2_grpc.ResourceProviderStub]:
    """Pulumi's own host of dynamic providers, as the engines start it."""
    process = subprocess.Popen([sys.executable, "-u", "-m", "pulumi.dynamic", "127.0.0.1:1"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield provider_pb2_grpc.ResourceProviderStub(channel)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def struct(provider: SliceProvider, **values: Any) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update({"__provider": serialize_provider(provider), **values})
    return made


ADMIN = {"stack": "dev", "secret": "postgres/admin", "host": UNKNOWN, "port": UNKNOWN}
KNOWN = {"stack": "dev", "secret": "postgres/admin", "host": "127.0.0.1", "port": 5432}
ROLE = {"name": "alfred", "login": False, "inherit": True, "connection_limit": -1, "member_of": []}


def test_unknown_values_pass_the_check_and_change_nothing(host: provider_pb2_grpc.ResourceProviderStub) -> None:
    news = struct(RoleProvider(), **ROLE, admin=ADMIN, identity=UNKNOWN, password=UNKNOWN)
    checked = host.Check(provider_pb2.CheckRequest(olds=struct_pb2.Struct(), news=news))
    assert list(checked.failures) == []
    assert checked.inputs["admin"]["host"] == UNKNOWN
    olds = struct(RoleProvider(), **ROLE, admin=KNOWN, identity="1", verifier="")
    answer = host.Diff(provider_pb2.DiffRequest(id="alfred", olds=olds, news=checked.inputs))
    assert answer.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_a_change_of_code_plans_nothing(host: provider_pb2_grpc.ResourceProviderStub) -> None:
    olds = struct(RoleProvider(), **ROLE, admin=KNOWN, identity="1", verifier="")
    news = struct(RoleProvider(), **ROLE, admin=KNOWN, identity="1")
    answer = host.Diff(provider_pb2.DiffRequest(id="alfred", olds=olds, news=news))
    assert answer.changes == provider_pb2.DiffResponse.DIFF_NONE, "DIFF_UNKNOWN would compare the pickles"


def test_a_known_difference_is_planned(host: provider_pb2_grpc.ResourceProviderStub) -> None:
    olds = struct(RoleProvider(), **ROLE, admin=KNOWN, identity="1", verifier="")
    for change in ({"identity": "2"}, {"admin": {**KNOWN, "port": 5433}}, {"connection_limit": 5}):
        news = struct(RoleProvider(), **{**ROLE, "admin": KNOWN, "identity": "1", **change})
        answer = host.Diff(provider_pb2.DiffRequest(id="alfred", olds=olds, news=news))
        assert answer.changes == provider_pb2.DiffResponse.DIFF_SOME, change


def test_a_failure_ends_in_one_clear_line(host: provider_pb2_grpc.ResourceProviderStub) -> None:
    nowhere = {**KNOWN, "secret": "no/such"}
    with pytest.raises(grpc.RpcError) as caught:
        host.Create(provider_pb2.CreateRequest(properties=struct(RoleProvider(), **ROLE, admin=nowhere, identity="1")))
    last = str(caught.value.details()).strip().splitlines()[-1]
    assert last.startswith("components.slices.errors.SliceError: ")
    assert "no/such is missing. `strata up --stack dev` writes it." in last
