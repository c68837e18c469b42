"""Users of the object store: what one reaches, and above all what it does not."""

import io
from collections.abc import Callable, Iterator

import pytest
from minio import Minio
from minio.commonconfig import CopySource
from minio.credentials.providers import StaticProvider
from minio.error import MinioAdminException, S3Error

from components.slices.admin import Address
from components.slices.object_store.connection import connect
from components.slices.object_store.user import policy_name
from components.slices.resource import Props
from tests.slices.object_store_inside import (
    BUCKET,
    MB,
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
