"""Buckets, who may read them, and who may use the object store at all."""

from collections.abc import Iterator

import pytest
from minio.error import S3Error

from components.secretfiles import write_secret
from components.slices import SliceError
from components.slices.admin import Address
from components.slices.object_store.connection import connect
from components.slices.resource import Props, SliceProvider
from tests.slices.object_store_inside import (
    BUCKET,
    PUBLIC,
    ROSTER,
    SECRET,
    USER,
    bucket,
    fresh_name,
    get,
    made,
    put,
    tenant,
    user,
)
from tests.slices.servers import Server, s3_session


@pytest.fixture
def name(object_store: Server) -> Iterator[str]:
    with fresh_name(object_store) as made:
        yield made


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
