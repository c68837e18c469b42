"""What lives inside backends, as resources: dynamic providers with real check, diff, create, read, update and delete.

The import path of every provider class is part of each stack's state (see `components.slices.resource`).
"""

from components.slices.admin import AdminRef, ClusterRef
from components.slices.docker_preflight import DockerPreflight, PortClaim, PreflightArgs
from components.slices.errors import SliceError
from components.slices.kept_secret import KeptSecret, KeptSecretArgs
from components.slices.kubernetes_preflight import ClaimArgs, KubernetesPreflight, KubernetesPreflightArgs
from components.slices.object_store.bucket import Bucket, BucketArgs
from components.slices.object_store.public_bucket import PublicBucket, PublicBucketArgs
from components.slices.object_store.roster import ObjectStoreRoster, ObjectStoreRosterArgs
from components.slices.object_store.user import ObjectStoreUser, ObjectStoreUserArgs
from components.slices.postgres.database import Database, DatabaseArgs
from components.slices.postgres.migration_files import Migration, load_migrations
from components.slices.postgres.migrations import Migrations, MigrationsArgs
from components.slices.postgres.role import Role, RoleArgs
from components.slices.postgres.roster import PostgresRoster
from components.slices.qdrant.collection import Collection, CollectionArgs
from components.slices.qdrant.login import QdrantLogin, QdrantLoginArgs
from components.slices.qdrant.roster import QdrantRoster
from components.slices.ready import Ready, ReadyArgs
from components.slices.redis.default_user import RedisDefaultUser, RedisDefaultUserArgs
from components.slices.redis.roster import RedisRoster
from components.slices.redis.user import RedisUser, RedisUserArgs
from components.slices.rollout import Rollout, RolloutArgs
from components.slices.roster import RosterArgs
from components.slices.secret_file import SecretFile, SecretFileArgs

__all__ = [
    "AdminRef",
    "Bucket",
    "BucketArgs",
    "ClaimArgs",
    "ClusterRef",
    "Collection",
    "CollectionArgs",
    "Database",
    "DatabaseArgs",
    "DockerPreflight",
    "KeptSecret",
    "KeptSecretArgs",
    "KubernetesPreflight",
    "KubernetesPreflightArgs",
    "Migration",
    "Migrations",
    "MigrationsArgs",
    "ObjectStoreRoster",
    "ObjectStoreRosterArgs",
    "ObjectStoreUser",
    "ObjectStoreUserArgs",
    "PortClaim",
    "PostgresRoster",
    "PreflightArgs",
    "PublicBucket",
    "PublicBucketArgs",
    "QdrantLogin",
    "QdrantLoginArgs",
    "QdrantRoster",
    "Ready",
    "ReadyArgs",
    "RedisDefaultUser",
    "RedisDefaultUserArgs",
    "RedisRoster",
    "RedisUser",
    "RedisUserArgs",
    "Role",
    "RoleArgs",
    "Rollout",
    "RolloutArgs",
    "RosterArgs",
    "SecretFile",
    "SecretFileArgs",
    "SliceError",
    "load_migrations",
]
