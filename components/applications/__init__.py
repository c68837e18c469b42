"""An application's slice of each backend, and its own secrets, as components: what it claims is what it gets."""

from components.applications.login import Login
from components.applications.object_store import ObjectStoreSlice
from components.applications.postgres import PostgresSlice
from components.applications.qdrant import QdrantSlice
from components.applications.redis import DedicatedRedisSlice, RedisSlice
from components.applications.secrets import ApplicationSecrets

__all__ = [
    "ApplicationSecrets",
    "DedicatedRedisSlice",
    "Login",
    "ObjectStoreSlice",
    "PostgresSlice",
    "QdrantSlice",
    "RedisSlice",
]
