"""Every application's credentials against everything of every other application: all refused."""

import uuid
from collections.abc import Callable, Iterator

import psycopg
import pytest
from minio import Minio
from minio.error import S3Error
from redis.exceptions import AuthenticationError, NoPermissionError

from infra.contract import Bucket, StackContract
from tests.smoke import clients

Pair = tuple[str, str]


@pytest.fixture
def pairs(contract: StackContract) -> list[Pair]:
    """Who tries, and whose things."""
    names = list(contract.applications)
    if len(names) < 2:
        pytest.skip("the stack has no two applications")
    return [(who, whose) for who in names for whose in names if who != whose]


def test_no_database_of_another_application_opens(contract: StackContract, pairs: list[Pair]) -> None:
    let_in = []
    for who, whose in pairs:
        mine, theirs = contract.applications[who].postgres, contract.applications[whose].postgres
        credential = contract.credentials[who].postgres
        if not (mine and theirs and credential):
            continue
        logins = [(mine.username, credential.password.get_secret_value())]
        if credential.readonly:
            logins.append((credential.readonly.username, credential.readonly.password.get_secret_value()))
        for username, password in logins:
            why = "connected"
            try:
                clients.postgres(contract, who, username=username, password=password, database=theirs.database).close()
            except psycopg.OperationalError as error:
                why = str(error)  # refused for another reason proves nothing
            if "CONNECT privilege" not in why:
                let_in.append(f"{username} on {theirs.database}: {why}")
    assert let_in == []


def test_no_key_and_no_channel_of_another_application_is_reached(contract: StackContract, pairs: list[Pair]) -> None:
    let_in = []
    for who, whose in pairs:
        mine, theirs = contract.applications[who].redis, contract.applications[whose].redis
        if not (mine and theirs):
            continue
        if theirs.server or mine.server:  # the other one's server knows none of my logins
            let_in += [f"{who} on the Redis of {whose}: {login}" for login in _strangers(contract, who, whose)]
            continue
        key = f"{theirs.prefix}smoke:{uuid.uuid4()}"
        with clients.redis_client(contract, who) as client:
            for text in (f"GET {key}", f"SET {key} 1 EX 1", f"PUBLISH {key} x", f"SUBSCRIBE {key}"):
                try:
                    clients.command(client, text)
                except NoPermissionError:
                    continue
                let_in.append(f"{who}: {text}")
    assert let_in == []


def _strangers(contract: StackContract, who: str, whose: str) -> Iterator[str]:
    """Logins of `who` that the Redis of `whose` accepts."""
    slice_ = contract.applications[who].redis
    assert slice_
    for username in (slice_.username, ""):
        password = clients.redis_password(contract, who)
        with clients.redis_client(contract, whose, username=username, password=password) as client:
            try:
                client.ping()
            except AuthenticationError:
                continue
            yield username or "(no name)"


def test_no_collection_of_another_application_is_reached(contract: StackContract, pairs: list[Pair]) -> None:
    let_in = []
    for who, whose in pairs:
        mine, theirs = contract.applications[who].qdrant, contract.applications[whose].qdrant
        credential = contract.credentials[who].qdrant
        if not (mine and theirs and credential):
            continue
        others = [other.password.get_secret_value() for other in (credential.readonly, credential.previous) if other]
        for key in (credential.password.get_secret_value(), *others):
            for collection in theirs.collections.values():
                requests = [
                    ("GET", f"/collections/{collection.name}", None),
                    ("POST", f"/collections/{collection.name}/points/scroll", {"limit": 1}),
                    ("POST", f"/collections/{collection.name}/points/delete", {"points": [str(uuid.uuid4())]}),
                ]
                for method, path, body in requests:
                    status, _ = clients.qdrant_request(contract, who, method, path, body, key=key)
                    if status not in (401, 403):
                        let_in.append(f"{who}: {method} {path}: {status}")
    assert let_in == []


def test_no_bucket_of_another_application_is_reached(contract: StackContract, pairs: list[Pair]) -> None:
    let_in = []
    for who, whose in pairs:
        mine, theirs = contract.applications[who].object_store, contract.applications[whose].object_store
        if mine and theirs:
            client = clients.object_store(contract, who)
            let_in += [
                f"{who}: {what}" for bucket in theirs.buckets.values() for what in _answered(client, bucket, "smoke/")
            ]
    assert let_in == []


def _answered(client: Minio, bucket: Bucket, prefix: str) -> Iterator[str]:
    """What the bucket's owner alone may do, and this client may, too."""
    key = f"{prefix}{uuid.uuid4()}"
    attempts: dict[str, Callable[[], object]] = {
        "list": lambda: list(client.list_objects(bucket.name)),
        "write": lambda: client.fput_object(bucket.name, key, "/dev/null"),
        "delete": lambda: client.remove_object(bucket.name, key),
        "policy": lambda: client.get_bucket_policy(bucket.name),
    }
    if not bucket.public:  # what anybody may read, another application may, too
        attempts["read"] = lambda: client.stat_object(bucket.name, key)
    for what, attempt in attempts.items():
        try:
            attempt()
        except S3Error as error:
            if error.code == "AccessDenied":
                continue
            what += f": {error.code}"
        yield f"{what} {bucket.name}"


def test_the_stack_lists_no_other_application(contract: StackContract) -> None:
    """What lists everything on a server lists only what is one's own, or is refused."""
    for name, slices in contract.applications.items():
        if slices.object_store:
            listed = {bucket.name for bucket in clients.object_store(contract, name).list_buckets()}
            own = {bucket.name for bucket in slices.object_store.buckets.values()}
            assert listed <= own, f"{name} is shown buckets of others"
        if slices.redis and not slices.redis.server:
            with clients.redis_client(contract, name) as client, pytest.raises(NoPermissionError):
                client.keys("*")
