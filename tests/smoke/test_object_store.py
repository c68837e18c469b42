"""The object store as every application that has buckets: they work, and nothing beyond them."""

import io
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from minio import Minio
from minio.commonconfig import CopySource
from minio.error import S3Error

from infra.access import reached
from infra.contract import Bucket, StackContract
from infra.presigned import Upload, download, upload
from tests.smoke import clients

pytestmark = pytest.mark.quick

MB = 1 << 20
PREFIX = "strata-smoke/"  # below it, versions of deleted objects are gone after a day


@pytest.fixture
def app(contract: StackContract) -> str:
    names = [name for name, slices in contract.applications.items() if slices.object_store]
    if not names:
        pytest.skip("no application of this stack has buckets")
    return names[0]


@pytest.fixture
def session(contract: StackContract, app: str) -> Minio:
    return clients.object_store(contract, app)


@pytest.fixture
def buckets(contract: StackContract, app: str) -> dict[str, Bucket]:
    return clients.object_store_slice(contract, app).buckets


@pytest.fixture
def private(buckets: dict[str, Bucket]) -> str:
    """The physical name of a bucket that only the application reads."""
    names = [bucket.name for bucket in buckets.values() if not bucket.public]
    if not names:
        pytest.skip("the application has no private bucket")
    return names[0]


@pytest.fixture
def public(buckets: dict[str, Bucket]) -> str:
    names = [bucket.name for bucket in buckets.values() if bucket.public]
    if not names:
        pytest.skip("the application has no public bucket")
    return names[0]


@pytest.fixture
def limited(buckets: dict[str, Bucket]) -> str:
    """The logical name of a bucket with a largest size and types."""
    names = [name for name, bucket in buckets.items() if bucket.max_size and bucket.content_types]
    if not names:
        pytest.skip("the application has no bucket with limits")
    return min(names, key=lambda name: buckets[name].max_size or 0)


@pytest.fixture
def key(session: Minio, buckets: dict[str, Bucket]) -> Iterator[str]:
    """A key that nobody else uses, in any bucket; its objects go at the end."""
    made = f"{PREFIX}{uuid.uuid4()}"
    yield made
    for bucket in buckets.values():
        for found in session.list_objects(bucket.name, prefix=made):
            session.remove_object(bucket.name, str(found.object_name))


def put(client: Minio, bucket: str, key: str, content: bytes = b"1") -> str | None:
    return client.put_object(bucket, key, io.BytesIO(content), len(content)).version_id


def get(client: Minio, bucket: str, key: str, version: str | None = None) -> bytes:
    with client.get_object(bucket, key, version_id=version) as answer:
        return answer.data


def test_an_object_written_to_each_bucket_is_read_back(session: Minio, buckets: dict[str, Bucket], key: str) -> None:
    for name in [bucket.name for bucket in buckets.values()]:
        put(session, name, key, name.encode())
        assert get(session, name, key) == name.encode()
        assert [found.object_name for found in session.list_objects(name, prefix=key)] == [key]
        session.remove_object(name, key)
        with pytest.raises(S3Error, match="NoSuchKey"):
            get(session, name, key)


def test_an_object_is_encrypted_without_being_asked_for(session: Minio, private: str, key: str) -> None:
    put(session, private, key)
    metadata = session.stat_object(private, key).metadata or {}
    assert metadata.get("X-Amz-Server-Side-Encryption") in ("AES256", "aws:kms"), dict(metadata)


def test_an_overwritten_and_a_deleted_object_are_restored(session: Minio, private: str, key: str) -> None:
    first = put(session, private, key, b"first")
    if first is None:
        pytest.skip(f"{private} keeps no versions")
    put(session, private, key, b"second")
    assert get(session, private, key, first) == b"first"
    session.remove_object(private, key)
    session.copy_object(private, key, CopySource(private, key, version_id=first))
    assert get(session, private, key) == b"first"
    with pytest.raises(S3Error, match="AccessDenied"):
        session.remove_object(private, key, version_id=first)


def test_a_large_object_is_uploaded_in_parts(session: Minio, private: str, key: str) -> None:
    content = uuid.uuid4().bytes * (6 * MB // 16)
    session.put_object(private, key, io.BytesIO(content), len(content), part_size=5 * MB)
    assert get(session, private, key) == content


def test_the_key_before_the_last_rotation_still_works(
    contract: StackContract, app: str, session: Minio, private: str, key: str
) -> None:
    previous = clients.object_store_credential(contract, app).previous
    if previous is None:
        pytest.skip("this platform keeps one key")
    put(session, private, key, b"1")
    older = clients.object_store(
        contract, app, access_key=previous.username, secret_key=previous.password.get_secret_value()
    )
    assert get(older, private, key) == b"1"


FORBIDDEN: dict[str, Callable[[Minio, str], object]] = {
    "read another bucket": lambda s, own: get(s, "strata-smoke-no-such-bucket", "k"),
    "write to another bucket": lambda s, own: put(s, "strata-smoke-no-such-bucket", "k"),
    "list another bucket": lambda s, own: list(s.list_objects("strata-smoke-no-such-bucket")),
    "make a bucket": lambda s, own: s.make_bucket(own),  # which is there: allowed, it would change nothing
    "read its bucket's policy": lambda s, own: s.get_bucket_policy(own),
    "open its bucket to everybody": lambda s, own: s.set_bucket_policy(own, "{}"),
    "change its bucket's encryption": lambda s, own: s.get_bucket_encryption(own),
    "read its bucket's lifecycle": lambda s, own: s.get_bucket_lifecycle(own),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_an_application_cannot(session: Minio, private: str, what: str) -> None:
    with pytest.raises(S3Error, match="AccessDenied"):
        FORBIDDEN[what](session, private)


def refused(attempt: Callable[..., object], *arguments: object) -> str | None:
    """The refusal's text, or None."""
    try:
        attempt(*arguments)
    except S3Error as refusal:
        return str(refusal)
    return None


def test_a_stranger_is_refused(contract: StackContract, app: str, session: Minio, private: str, key: str) -> None:
    put(session, private, key)
    postgres = contract.credentials[app].postgres
    other = postgres.password.get_secret_value() if postgres else "not-the-secret-key"
    for who, keys, refusal in (
        ("nobody", {"access_key": "", "secret_key": ""}, "AccessDenied"),
        ("a wrong secret", {"secret_key": "not-the-secret-key"}, "SignatureDoesNotMatch"),
        ("the password of another backend", {"secret_key": other}, "SignatureDoesNotMatch"),
        ("an unknown key", {"access_key": "nobody-0"}, "InvalidAccessKeyId"),
        ("the administrator with a wrong secret", {"access_key": "admin", "secret_key": "x" * 40}, "SignatureDoes"),
        ("root with a wrong secret", {"access_key": "root", "secret_key": "x" * 40}, "SignatureDoes"),
        ("the well-known default", {"access_key": "minioadmin", "secret_key": "minioadmin"}, "InvalidAccessKeyId"),
    ):
        stranger = clients.object_store(contract, app, **keys)
        for attempt in (get, put):
            assert refusal in (refused(attempt, stranger, private, key) or ""), f"{who} was let in by {attempt}"


def test_anybody_reads_public_buckets_and_nothing_else(
    contract: StackContract, app: str, session: Minio, public: str, private: str, key: str
) -> None:
    nobody = clients.object_store(contract, app, access_key="", secret_key="")
    put(session, public, key, b"for all")
    put(session, private, key, b"for one")
    assert get(nobody, public, key) == b"for all"
    for attempt in (
        lambda: get(nobody, private, key),
        lambda: list(nobody.list_objects(public)),
        lambda: put(nobody, public, f"{key}-more"),
        lambda: nobody.remove_object(public, key),
    ):
        with pytest.raises(S3Error, match="AccessDenied"):
            attempt()
    assert get(session, public, key) == b"for all"


def test_a_presigned_url_reads_one_object(
    contract: StackContract, app: str, session: Minio, buckets: dict[str, Bucket], private: str, key: str
) -> None:
    logical = next(name for name, bucket in buckets.items() if bucket.name == private)
    put(session, private, key, b"signed")
    put(session, private, f"{key}-other")
    url = download(contract, app, logical, key)
    answer = clients.s3_http(contract).request("GET", url)
    assert (answer.status, answer.data) == (200, b"signed")
    other = urlsplit(url)._replace(path=f"/{private}/{key}-other").geturl()
    assert clients.s3_http(contract).request("GET", other).status == 403


@pytest.mark.slow
def test_a_presigned_url_reads_it_for_a_while(
    contract: StackContract, app: str, session: Minio, buckets: dict[str, Bucket], private: str, key: str
) -> None:
    logical = next(name for name, bucket in buckets.items() if bucket.name == private)
    put(session, private, key)
    url = download(contract, app, logical, key, expires=timedelta(seconds=2))
    deadline = time.monotonic() + clients.SECONDS
    while (last := clients.s3_http(contract).request("GET", url).status) != 403:
        assert time.monotonic() < deadline, f"still {last} after {clients.SECONDS} s, and it was signed for 2"
        time.sleep(0.1)


def post(contract: StackContract, form: Upload, content: bytes, **changed: str) -> tuple[int, str]:
    fields: dict[str, str | bytes | tuple[str, str | bytes]] = {**form.fields, **changed}
    fields["file"] = ("file", content)
    answer = clients.s3_http(contract).request("POST", form.url, fields=list(fields.items()))
    return answer.status, answer.data.decode()


def test_a_presigned_upload_holds_its_limits(
    contract: StackContract, app: str, session: Minio, buckets: dict[str, Bucket], limited: str, key: str
) -> None:
    bucket = buckets[limited]
    assert bucket.max_size
    content_type = bucket.content_types[0]
    form = upload(contract, app, limited, key, content_type)
    for content, changed, says in (
        (bytes(bucket.max_size + 1), {}, "EntityTooLarge"),
        (b"1", {"Content-Type": "text/html"}, "AccessDenied"),
        (b"1", {"key": f"{key}-other"}, "AccessDenied"),
        (b"1", {"x-amz-signature": "0" * 64}, "SignatureDoesNotMatch"),
    ):
        status, text = post(contract, form, content, **changed)
        assert (status in (400, 403), says in text) == (True, True), f"{says} was expected: {status} {text}"
    assert list(session.list_objects(bucket.name, prefix=key)) == [], "a refused upload was stored"
    status, text = post(contract, form, b"1")
    assert status == 204, text
    assert session.stat_object(bucket.name, key).content_type == content_type


def test_metrics_are_not_for_everybody(contract: StackContract, app: str) -> None:
    assert contract.backends.object_store
    view = contract.backends.object_store.views["host"]
    host, port = reached(view)
    where = f"http{'s' if view.tls else ''}://{host}:{port}/minio/v2/metrics/cluster"
    assert clients.s3_http(contract).request("GET", where).status in (403, 404)
