"""Buckets, users and their roster: what a user reaches, and above all what it does not."""

import io
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from minio import Minio
from minio.commonconfig import CopySource
from minio.credentials.providers import StaticProvider
from minio.deleteobjects import DeleteObject
from minio.error import MinioAdminException, S3Error

from components.secretfiles import write_secret
from components.slices import SliceError
from components.slices.admin import Address
from components.slices.object_store.bucket import BucketProvider
from components.slices.object_store.connection import connect
from components.slices.object_store.public_bucket import PublicBucketProvider
from components.slices.object_store.roster import ObjectStoreRosterProvider
from components.slices.object_store.user import ObjectStoreUserProvider, policy_name
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


@pytest.fixture
def name(object_store: Server) -> Iterator[str]:
    """A name for the buckets and users of one test."""
    made = f"t{secrets.token_hex(4)}"
    yield made
    with connect(Address.of(object_store.props())) as admin:
        for user in admin.users():
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


@pytest.mark.docker
def test_a_user_works_within_its_bucket(object_store: Server, name: str) -> None:
    session = tenant(object_store, name)
    first = put(session, name, "a", b"first")
    put(session, name, "a", b"second")
    assert get(session, name, "a") == b"second"
    assert get(session, name, "a", first) == b"first"
    session.copy_object(name, "a", CopySource(name, "a", version_id=first))
    assert get(session, name, "a") == b"first", "an old version could not be restored"
    session.put_object(name, "large", io.BytesIO(bytes(11 * MB)), 11 * MB, part_size=5 * MB)
    assert session.stat_object(name, "large").size == 11 * MB
    assert sorted(str(o.object_name) for o in session.list_objects(name)) == ["a", "large"]
    session.remove_object(name, "a")
    with pytest.raises(S3Error, match="NoSuchKey"):
        get(session, name, "a")
    assert get(session, name, "a", first) == b"first", "a deleted object is gone at once"


TRICKS: dict[str, Callable[[Minio, str, str], object]] = {
    "read": lambda s, own, other: get(s, other, "k"),
    "write": lambda s, own, other: put(s, other, "k"),
    "delete": lambda s, own, other: s.remove_object(other, "k"),
    "list": lambda s, own, other: list(s.list_objects(other)),
    "list with a prefix": lambda s, own, other: list(s.list_objects(other, prefix="k", recursive=True)),
    "copy from it": lambda s, own, other: s.copy_object(own, "k", CopySource(other, "k")),
    "copy into it": lambda s, own, other: s.copy_object(other, "k", CopySource(own, "own")),
    "upload parts into it": lambda s, own, other: s.put_object(
        other, "l", io.BytesIO(bytes(6 * MB)), 6 * MB, part_size=5 * MB
    ),
    "look at its tags": lambda s, own, other: s.get_bucket_tags(other),
    "make a bucket": lambda s, own, other: s.make_bucket(f"{own}-more"),
    "remove its own bucket": lambda s, own, other: s.remove_bucket(own),
    "open its own bucket to everybody": lambda s, own, other: s.set_bucket_policy(own, "{}"),
    "end its own bucket's lifecycle": lambda s, own, other: s.delete_bucket_lifecycle(own),
    "end its own bucket's encryption": lambda s, own, other: s.delete_bucket_encryption(own),
    "be told of others' writes": lambda s, own, other: next(iter(s.listen_bucket_notification(other))),
}


@pytest.mark.docker
@pytest.mark.parametrize("trick", TRICKS)
def test_nothing_beyond_its_bucket_is_reached(object_store: Server, name: str, trick: str) -> None:
    session, other = tenant(object_store, name), f"{name}-other"
    made(BUCKET, bucket(object_store, other))
    admin = s3_session(object_store, "admin", object_store.password)
    put(admin, other, "k", b"theirs")
    put(session, name, "own")
    with pytest.raises(S3Error, match="AccessDenied"):
        TRICKS[trick](session, name, other)
    assert get(admin, other, "k") == b"theirs"


@pytest.mark.docker
def test_a_user_cannot_delete_history_or_administrate_or_see_other_buckets(object_store: Server, name: str) -> None:
    session = tenant(object_store, name)
    made(BUCKET, bucket(object_store, f"{name}-other"))
    version = put(session, name, "k", b"kept")
    with pytest.raises(S3Error, match="AccessDenied"):
        session.remove_object(name, "k", version_id=version)
    assert [b.name for b in session.list_buckets()] == [name]
    props = user(object_store, name)
    with connect(Address.of(props)) as as_admin:
        as_admin.admin._provider = StaticProvider(name, SECRET)
        for request in (as_admin.admin.user_list, as_admin.admin.info, as_admin.admin.policy_list):
            with pytest.raises(MinioAdminException, match="AccessDenied"):
                request()


@pytest.mark.docker
def test_a_wrong_secret_and_no_secret_open_nothing(object_store: Server, name: str) -> None:
    session = tenant(object_store, name)
    put(session, name, "k")
    for key, secret, refusal in (
        (name, "wrong-secret", "SignatureDoesNotMatch"),
        ("nobody", SECRET, "InvalidAccessKeyId"),
        (None, None, "AccessDenied"),
    ):
        with pytest.raises(S3Error, match=refusal):
            get(s3_session(object_store, key, secret), name, "k")


@pytest.mark.docker
def test_nothing_changes_nothing(object_store: Server, name: str) -> None:
    rosters = object_store.props(logins=[name], public=[name])
    for provider, props in (
        (BUCKET, bucket(object_store, name, tags={"content-types": "image/png text/plain"})),
        (PUBLIC, object_store.props(bucket=name)),
        (USER, user(object_store, name)),
        (ROSTER, rosters),
    ):
        outputs = made(provider, props)
        assert provider.diff(name, outputs, props).changes is False
        assert provider.diff(name, provider.read(name, outputs).outs or {}, props).changes is False
        again = provider.update(name, outputs, props).outs or {}
        assert provider.diff(name, again, props).changes is False


@pytest.mark.docker
@pytest.mark.parametrize(
    "change",
    [{"password": "secret-2-of-it"}, {"buckets": ["other-bucket"]}, {"identity": "x"}],
    ids=lambda change: next(iter(change)),
)
def test_each_change_of_a_user_is_planned_and_carried_out(object_store: Server, name: str, change: Props) -> None:
    tenant(object_store, name)
    made(BUCKET, bucket(object_store, "other-bucket"))
    props = user(object_store, name)
    outputs, wanted = made(USER, props), {**props, **change}
    assert USER.diff(name, outputs, wanted).changes is True
    updated = USER.update(name, outputs, wanted).outs or {}
    assert USER.diff(name, updated, wanted).changes is False
    put(s3_session(object_store, name, wanted["password"]), wanted["buckets"][0], "k")
    if "password" in change:
        with pytest.raises(S3Error, match="SignatureDoesNotMatch"):
            put(s3_session(object_store, name, SECRET), name, "k")
    if "buckets" in change:
        with pytest.raises(S3Error, match="AccessDenied"):
            put(s3_session(object_store, name, SECRET), name, "k")


@pytest.mark.docker
@pytest.mark.parametrize("by_hand", ["a wider policy", "another policy", "another secret", "disabled"])
def test_drift_of_a_user_is_found_by_refresh_and_put_right(object_store: Server, name: str, by_hand: str) -> None:
    session, props = tenant(object_store, name), user(object_store, name)
    outputs = made(USER, props)
    with connect(Address.of(props)) as admin:
        if by_hand == "a wider policy":
            everything = {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}
            admin.admin.policy_add(policy_name(props), policy={"Version": "2012-10-17", "Statement": [everything]})
        elif by_hand == "another policy":
            admin.admin.attach_policy(["readwrite"], user=name)
        elif by_hand == "another secret":
            admin.put_user(name, "set-by-hand")
        else:
            admin.admin.user_disable(name)
    found = USER.read(name, outputs).outs or {}
    assert USER.diff(name, found, props).changes is True
    updated = USER.update(name, found, props).outs or {}
    assert USER.diff(name, USER.read(name, updated).outs or {}, props).changes is False
    put(session, name, "k")
    with pytest.raises(S3Error, match="AccessDenied"):
        session.make_bucket(f"{name}-more")


@pytest.mark.docker
def test_a_deleted_user_is_refused_and_its_objects_stay(object_store: Server, name: str) -> None:
    session, props = tenant(object_store, name), user(object_store, name)
    put(session, name, "k", b"kept")
    USER.delete(name, props)
    with pytest.raises(S3Error, match="InvalidAccessKeyId"):
        get(session, name, "k")
    assert get(s3_session(object_store, "admin", object_store.password), name, "k") == b"kept"
    assert USER.read(name, props).id == ""
    USER.delete(name, props)


@pytest.mark.docker
def test_anybody_reads_a_public_bucket_and_does_nothing_else(object_store: Server, name: str) -> None:
    session, nobody, props = tenant(object_store, name), s3_session(object_store), object_store.props(bucket=name)
    put(session, name, "k", b"for all")
    with pytest.raises(S3Error, match="AccessDenied"):
        get(nobody, name, "k")
    outputs = made(PUBLIC, props)
    assert get(nobody, name, "k") == b"for all"
    for trick in (
        lambda: list(nobody.list_objects(name)),
        lambda: put(nobody, name, "k"),
        lambda: nobody.remove_object(name, "k"),
        lambda: nobody.get_bucket_policy(name),
    ):
        with pytest.raises(S3Error, match="AccessDenied"):
            trick()
    PUBLIC.delete(name, outputs)
    with pytest.raises(S3Error, match="AccessDenied"):
        get(nobody, name, "k")
    assert PUBLIC.read(name, outputs).id == ""
    PUBLIC.delete(name, outputs)


@pytest.mark.docker
def test_a_kept_bucket_is_adopted_with_its_objects_and_delete_never_deletes_them(
    object_store: Server, name: str
) -> None:
    admin = s3_session(object_store, "admin", object_store.password)
    admin.make_bucket(name)
    put(admin, name, "k", b"kept")
    outputs = made(BUCKET, bucket(object_store, name))
    assert get(admin, name, "k") == b"kept"
    admin.remove_object(name, "k")
    with pytest.raises(SliceError, match=f"the bucket `{name}` has objects, or versions of deleted ones, and is kept"):
        BUCKET.delete(name, outputs)
    assert admin.bucket_exists(name)
    made(BUCKET, bucket(object_store, f"{name}-empty"))
    BUCKET.delete("", bucket(object_store, f"{name}-empty"))
    assert not admin.bucket_exists(f"{name}-empty")
    assert BUCKET.read("", bucket(object_store, f"{name}-empty")).id == ""
    BUCKET.delete("", bucket(object_store, f"{name}-empty"))


@pytest.mark.docker
@pytest.mark.parametrize("drift", ["versioning", "lifecycle", "encryption", "tags"])
def test_drift_of_a_bucket_is_found_by_refresh_and_put_right(object_store: Server, name: str, drift: str) -> None:
    props = bucket(object_store, name, tags={"max-size": "10"})
    outputs = made(BUCKET, props)
    with connect(Address.of(props)) as admin:
        if drift == "versioning":
            made(BUCKET, {**props, "versioning": False})
        else:
            getattr(admin.s3, f"delete_bucket_{drift}")(name)
    found = BUCKET.read(name, outputs).outs or {}
    assert BUCKET.diff(name, found, props).changes is True
    updated = BUCKET.update(name, found, props).outs or {}
    assert BUCKET.diff(name, BUCKET.read(name, updated).outs or {}, props).changes is False


@pytest.mark.docker
def test_the_roster_ends_stray_access_of_strata_s_and_no_other(object_store: Server, name: str) -> None:
    session = tenant(object_store, name)
    put(session, name, "k")
    made(PUBLIC, object_store.props(bucket=name))
    props = object_store.props(logins=[], public=[])
    with connect(Address.of(props)) as admin:
        admin.put_user(f"{name}-foreign", SECRET)
        admin.admin.policy_set("readonly", user=f"{name}-foreign")
    kept = object_store.props(logins=[name], public=[name])
    assert made(ROSTER, kept)["revoked"] == []
    get(session, name, "k")
    outputs = made(ROSTER, props)
    assert outputs["revoked"] == [name, name]
    for refused, code in ((session, "InvalidAccessKeyId"), (s3_session(object_store), "AccessDenied")):
        with pytest.raises(S3Error, match=code):
            get(refused, name, "k")
    get(s3_session(object_store, f"{name}-foreign", SECRET), name, "k")
    with connect(Address.of(props)) as admin:
        assert not [policy for policy in admin.policies() if policy.endswith(f".{name}")]
    made(USER, user(object_store, name))
    assert ROSTER.diff("", ROSTER.read("", outputs).outs or {}, props).changes is True


@pytest.mark.parametrize(
    ("provider", "change", "complaint"),
    [
        (BUCKET, {"name": "Upper"}, "would need quoting"),
        (BUCKET, {"name": "b" * 64}, "at most 63"),
        (BUCKET, {"name": "bucket", "tags": {"a": "b,c"}}, "would need quoting"),
        (USER, {"name": "admin"}, "belongs to the backend"),
        (USER, {"password": "short"}, "8 characters"),
        (USER, {"buckets": []}, "needs a bucket"),
        (USER, {"buckets": ["*"]}, "would need quoting"),
        (PUBLIC, {"bucket": "a/b"}, "would need quoting"),
        (ROSTER, {"logins": ["a b"]}, "would need quoting"),
    ],
)
def test_mistakes_are_refused_by_the_plan(provider: SliceProvider, change: Props, complaint: str) -> None:
    fine: dict[SliceProvider, Props] = {USER: {"name": "alfred-1", "password": SECRET, "buckets": ["bucket"]}}
    failures = provider.check({}, {**fine.get(provider, {}), **change}).failures
    assert [complaint in failure.reason for failure in failures] == [True]


def test_an_unreachable_server_is_one_clear_line(state_home: object) -> None:
    write_secret("slices-test", "nowhere", "x" * 20)
    admin = {"stack": "slices-test", "secret": "nowhere", "host": "127.0.0.1", "port": 1.0}
    with pytest.raises(SliceError, match=r"^MinIO at 127\.0\.0\.1:1: no answer \(.*refused\)\. Is its container"):
        BUCKET.read("", {"admin": admin, "name": "bucket"})


@pytest.mark.docker
def test_a_refused_administrator_is_one_clear_line(object_store: Server) -> None:
    write_secret("slices-test", "wrong", "x" * 20)
    props = {"admin": {**object_store.admin(), "secret": "wrong"}, "name": "bucket"}
    with pytest.raises(SliceError, match="the administrator's password is refused"):
        BUCKET.create(props)
    with pytest.raises(SliceError, match="the administrator's password is refused"):
        USER.read("", props)
