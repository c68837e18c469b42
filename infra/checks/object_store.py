"""The application's buckets: an object that is written, read and removed in each."""

import io
import uuid

from components import trust
from infra.checks.reach import SECONDS, FailedError, Reach

_HINTS = {
    "NoSuchBucket": "`strata up --refresh` makes it again, empty",
    "AccessDenied": "`strata up --refresh` gives the key its rights again",
    "XMinioStorageFull": "its disk is full: remove objects, or give it a larger one",
    "RequestTimeTooSkewed": "this machine's clock and the server's are too far apart: set them",
}


def connected(reach: Reach) -> str:
    import urllib3
    from minio import Minio
    from minio.error import MinioException, S3Error

    view, credential, (host, port) = reach.view, reach.credential, reach.address()
    client = Minio(
        f"{host}:{port}",
        credential.username,
        credential.password.get_secret_value(),
        secure=view.tls,
        region=reach.slice.region,
        http_client=urllib3.PoolManager(timeout=SECONDS, retries=False, **trust.verified(reach.ca)),
    )
    buckets = [bucket.name for bucket in reach.slice.buckets.values()]
    name = buckets[0]
    try:
        for name in buckets:
            key = f"strata-verify/{uuid.uuid4()}"
            client.put_object(name, key, io.BytesIO(b"1"), 1)
            client.remove_object(name, key)
    except S3Error as error:
        if error.code in ("InvalidAccessKeyId", "SignatureDoesNotMatch"):
            raise reach.refused() from None
        raise FailedError(f"{name}: {error.code}: {error.message}", _HINTS.get(error.code or "", "")) from None
    except (MinioException, urllib3.exceptions.HTTPError) as error:
        raise reach.unreachable(error) from None
    server = reach.contract.server(reach.application, "object_store")
    version = server.version if server else "?"
    return f"Object store connected: {len(buckets)} buckets, version {version}"
