"""Presigned requests: what an application hands to somebody without a key, for one object and a short time.

S3 cannot limit the size or the type of an upload by bucket. A signed form can, so uploads of strangers go through
`upload`, with the bucket's limits. Everything is computed here; no server is asked. The endpoint must be the one from
which the request will be made: it stands in the URL, and the signature of a download covers it.

A `Signer` needs nothing but what an application has in its configuration. `upload` and `download` take the same from a
stack's contract.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from infra.choices import ViewName
from infra.contract import Bucket, StackContract

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


@dataclass(frozen=True, kw_only=True)
class Signer:
    """Signs with one access key. `endpoint` is a URL without a path, such as http://127.0.0.1:9000."""

    endpoint: str
    region: str
    access_key: str
    secret_key: str = field(repr=False)

    def upload(
        self,
        bucket: str,
        key: str,
        content_type: str,
        *,
        max_size: int | None,
        content_types: Sequence[str] = (),
        expires: timedelta = EXPIRES,
    ) -> Upload:
        """A form that uploads one object of one type, of at most `max_size` bytes (None: as much as S3 takes).

        `bucket` is the physical name. Raises PresignError for a type that is not among `content_types`, where there
        are any, or a time beyond seven days.
        """
        from minio.datatypes import PostPolicy

        if content_types and content_type not in content_types:
            raise PresignError(f"`{bucket}` does not take {content_type}; it takes {', '.join(content_types)}")
        policy = PostPolicy(bucket, datetime.now(UTC) + _limited(expires))
        policy.add_equals_condition("key", key)
        policy.add_equals_condition("Content-Type", content_type)
        policy.add_content_length_range_condition(0, LARGEST if max_size is None else max_size)
        signed = self._client().presigned_post_policy(policy)
        return Upload(url=f"{self.endpoint}/{bucket}", fields={**signed, "key": key, "Content-Type": content_type})

    def download(self, bucket: str, key: str, *, expires: timedelta = EXPIRES) -> str:
        """A URL that reads one object. Raises PresignError for a time beyond seven days."""
        return self._client().presigned_get_object(bucket, key, expires=_limited(expires))

    def _client(self) -> "Minio":
        from minio import Minio

        where = urlsplit(self.endpoint)
        secure = where.scheme == "https"
        return Minio(where.netloc, self.access_key, self.secret_key, secure=secure, region=self.region)


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
    facts = _bucket(contract, app, bucket)
    return signer(contract, app, view).upload(
        facts.name, key, content_type, max_size=facts.max_size, content_types=facts.content_types, expires=expires
    )


def download(
    contract: StackContract, app: str, bucket: str, key: str, *, view: ViewName = "host", expires: timedelta = EXPIRES
) -> str:
    """A URL that reads one object. Raises PresignError for an unknown bucket or a time beyond seven days."""
    facts = _bucket(contract, app, bucket)
    return signer(contract, app, view).download(facts.name, key, expires=expires)


def signer(contract: StackContract, app: str, view: ViewName = "host") -> Signer:
    """The application's signer, for requests from `view`. Raises PresignError if it or its key is not there."""
    slices, credentials = contract.applications.get(app), contract.credentials.get(app)
    slice_, login = slices.object_store if slices else None, credentials.object_store if credentials else None
    if slice_ is None or login is None:
        raise PresignError(f"the stack's outputs hold no key of `{app}` on object_store: take it from its secret store")
    return Signer(
        endpoint=_endpoint(contract, view),
        region=slice_.region,
        access_key=login.username,
        secret_key=login.password.get_secret_value(),
    )


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
