"""What the tests of buckets, users and their roster do with a MinIO."""

import io
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minio import Minio
from minio.deleteobjects import DeleteObject

from components.slices.admin import Address
from components.slices.object_store.bucket import BucketProvider
from components.slices.object_store.connection import USER as ADMINISTRATOR
from components.slices.object_store.connection import connect
from components.slices.object_store.public_bucket import PublicBucketProvider
from components.slices.object_store.roster import ObjectStoreRosterProvider
from components.slices.object_store.user import ObjectStoreUserProvider
from components.slices.resource import Props, SliceProvider
from tests.slices.servers import Server, s3_session

BUCKET, PUBLIC, USER, ROSTER = (
    BucketProvider(),
    PublicBucketProvider(),
    ObjectStoreUserProvider(),
    ObjectStoreRosterProvider(),
)
SECRET = "secret-of-a-user"
MB = 1 << 20


@contextmanager
def fresh_name(server: Server) -> Iterator[str]:
    """A name for the buckets and users of one test; whatever it made is removed."""
    made = f"t{secrets.token_hex(4)}"
    yield made
    with connect(Address.of(server.props())) as admin:
        for user in admin.users().keys() - {ADMINISTRATOR}:
            admin.remove_user(user)
        for bucket in admin.s3.list_buckets():
            versions = admin.s3.list_objects(bucket.name, recursive=True, include_version=True)
            doomed = [DeleteObject(str(v.object_name), v.version_id) for v in versions]
            assert not list(admin.s3.remove_objects(bucket.name, doomed))
            admin.s3.remove_bucket(bucket.name)


def made(provider: SliceProvider, props: Props) -> Props:
    outputs = provider.create(props).outs
    assert outputs is not None
    return outputs


def bucket(server: Server, name: str, **more: Any) -> Props:
    return server.props(**{"name": name, "versioning": True, "noncurrent_days": 30.0, "tags": {}, **more})


def user(server: Server, name: str, **more: Any) -> Props:
    return server.props(**{"name": name, "password": SECRET, "buckets": [name], **more})


def tenant(server: Server, name: str) -> Minio:
    """A session of a user with a bucket of its name."""
    made(BUCKET, bucket(server, name))
    made(USER, user(server, name))
    return s3_session(server, name, SECRET)


def put(session: Minio, bucket: str, key: str, content: bytes = b"1") -> str:
    return str(session.put_object(bucket, key, io.BytesIO(content), len(content)).version_id)


def get(session: Minio, bucket: str, key: str, version: str | None = None) -> bytes:
    with session.get_object(bucket, key, version_id=version) as answer:
        return answer.data
