"""Presigned requests: what an application hands to somebody without a key, for one object and a short time.

S3 cannot limit the size or the type of an upload by bucket. A signed form can, so uploads of strangers go through
`upload`, which takes the limits from the contract. Everything is computed here; no server is asked. The signature
covers the host's name: `view` must be the one from which the request will be made.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from infra.contract import Bucket, StackContract, ViewName

if TYPE_CHECKING:
    from minio import Minio

EXPIRES: Final = timedelta(minutes=15)
LONGEST: Final = timedelta(days=7)  # of signature version 4
LARGEST: Final = 5 * 1024**3  # bytes of one request, in S3


class PresignError(Exception):
    """A request that must not be signed. The text says why."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A POST of multipart/form-data to `url`: `fields`, then the file as the last field, named `file`."""

    url: str
    fields: dict[str, str]


def upload(
    contract: StackContract,
    app: str,
    bucket: str,
    key: str,
    content_type: str,
    *,
    view: ViewName = "host",
    expires: timedelta = EXPIRES,
) -> Upload:
    """A form that uploads one object of one type, within the limits of the bucket with that logical name.

    Raises PresignError for an unknown bucket, a type that it does not take, or a time beyond seven days.
    """
    from minio.datatypes import PostPolicy

    facts = _bucket(contract, app, bucket)
    if facts.content_types and content_type not in facts.content_types:
        raise PresignError(f"`{bucket}` does not take {content_type}; it takes {', '.join(facts.content_types)}")
    policy = PostPolicy(facts.name, datetime.now(UTC) + _limited(expires))
    policy.add_equals_condition("key", key)
    policy.add_equals_condition("Content-Type", content_type)
    policy.add_content_length_range_condition(0, LARGEST if facts.max_size is None else facts.max_size)
    signed = _client(contract, app, view).presigned_post_policy(policy)
    url = f"{_endpoint(contract, view)}/{facts.name}"
    return Upload(url=url, fields={**signed, "key": key, "Content-Type": content_type})


def download(
    contract: StackContract, app: str, bucket: str, key: str, *, view: ViewName = "host", expires: timedelta = EXPIRES
) -> str:
    """A URL that reads one object. Raises PresignError for an unknown bucket or a time beyond seven days."""
    facts = _bucket(contract, app, bucket)
    return _client(contract, app, view).presigned_get_object(facts.name, key, expires=_limited(expires))


def _bucket(contract: StackContract, app: str, bucket: str) -> Bucket:
    slices = contract.applications.get(app)
    buckets = slices.object_store.buckets if slices and slices.object_store else {}
    if bucket not in buckets:
        raise PresignError(f"{app} has no bucket `{bucket}`. It has: {', '.join(sorted(buckets)) or 'none'}")
    return buckets[bucket]


def _limited(expires: timedelta) -> timedelta:
    if not timedelta(seconds=1) <= expires <= LONGEST:
        raise PresignError(f"a signature lasts from one second to {LONGEST.days} days, not {expires}")
    return expires


def _endpoint(contract: StackContract, view: ViewName) -> str:
    backend = contract.backends.object_store
    if backend is None or view not in backend.views:
        raise PresignError(f"the object store has no view `{view}` in this stack")
    seen = backend.views[view]
    return f"{'https' if seen.tls else 'http'}://{seen.host}:{seen.port}"


def _client(contract: StackContract, app: str, view: ViewName) -> "Minio":
    from minio import Minio

    slice_ = contract.applications[app].object_store
    credentials = contract.credentials.get(app)
    login = credentials.object_store if credentials else None
    if slice_ is None or login is None:
        raise PresignError(f"the stack's outputs hold no key of `{app}` on object_store: take it from its secret store")
    scheme, _, where = _endpoint(contract, view).partition("://")
    key, secret = login.username, login.password.get_secret_value()
    return Minio(where, key, secret, secure=scheme == "https", region=slice_.region)
