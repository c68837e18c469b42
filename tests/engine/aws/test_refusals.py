"""What AWS refuses, and what cannot be reached: AWS' own code, the missing action, and what to do."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from engine.providers.aws import AwsProvider
from engine.providers.aws.permissions import missing
from engine.providers.base import CheckFailed, PartialFailure, ProviderError, Unsupported
from tests.engine.aws.conftest import BUCKET, KEY, TAGS, USER, Bench, call, opened, setting
from tests.moto_server import ACCOUNT, ELSEWHERE, Moto

NAME = "strata-test-files"


def test_a_name_that_another_account_has_is_said_to_be_taken(bench: Bench) -> None:
    theirs = bench.moto.client("s3", bench.moto.session_elsewhere())
    theirs.create_bucket(Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    with pytest.raises(ProviderError, match="exists already") as caught:
        bench.bucket(NAME)
    assert "another name" in str(caught.value)


def test_a_bucket_of_the_account_that_is_not_the_stacks_is_not_taken_over(bench: Bench) -> None:
    bench.bucket(NAME)
    other = {**TAGS, "strata.stack": "strata/other"}
    with pytest.raises(ProviderError, match=r"is not of this stack.*tag it: strata.stack=strata/other"):
        bench.create(BUCKET, bucket=NAME, tags=other)
    with pytest.raises(ProviderError, match="is not of this stack"):
        bench.create(BUCKET, bucket=NAME)


def test_what_a_killed_create_left_behind_is_taken(bench: Bench) -> None:
    """A bucket and a user by their names, a key by its tags: no second one is made."""
    first = bench.bucket(NAME)
    assert bench.bucket(NAME).id == first.id
    key = bench.create(KEY, tags=TAGS)
    assert bench.create(KEY, tags=TAGS, enableKeyRotation=True).id == key.id
    assert len(bench.moto.client("kms").list_keys()["Keys"]) == 1
    assert bench.moto.client("kms").get_key_rotation_status(KeyId=key.id)["KeyRotationEnabled"]
    assert bench.create(KEY, tags={**TAGS, "strata.name": "other"}).id != key.id
    assert bench.create(USER, name="app", tags=TAGS).id == bench.create(USER, name="app", tags=TAGS, path="/x/").id
    assert bench.moto.client("iam").get_user(UserName="app")["User"]["Path"] == "/x/"


def test_a_bucket_in_another_region_is_not_taken_over(bench: Bench) -> None:
    with opened(bench.moto, region="eu-central-1") as there:
        Bench(bench.moto, there).bucket(NAME)
    with pytest.raises(ProviderError, match=r"in eu-central-1, and the provider's region is us-west-2"):
        bench.bucket(NAME)


def test_the_region_without_a_constraint_works_too(bench: Bench) -> None:
    with opened(bench.moto, region="us-east-1") as there:
        made = Bench(bench.moto, there).bucket(NAME)
    assert made.outputs["bucketRegionalDomainName"] == f"{NAME}.s3.us-east-1.amazonaws.com"


def test_a_missing_permission_is_named_with_its_action(moto: Moto) -> None:
    keys = moto.user("deployer", "s3:CreateBucket", "s3:ListBucket", "sts:GetCallerIdentity")
    credentials = {"accessKey": keys.access_key, "secretKey": keys.secret_key}
    with moto.enforced(), opened(moto, **credentials) as provider:
        bench = Bench(moto, provider)
        with pytest.raises(PartialFailure, match=r"\(AccessDenied\): give them s3:PutBucketTagging") as partly:
            bench.bucket(NAME)
        assert partly.value.id == NAME, "what was made is recorded, so that the next run goes on with it"
        with pytest.raises(ProviderError, match=r"give them kms:"):
            bench.create(KEY, description="files")


@pytest.mark.parametrize(
    ("service", "operation", "message", "action"),
    [
        ("s3", "PutBucketEncryption", "Access Denied", "s3:PutEncryptionConfiguration"),
        ("s3", "PutBucketPolicy", "Access Denied", "s3:PutBucketPolicy"),
        (
            "kms",
            "CreateKey",
            "User: u is not authorized to perform: kms:TagResource on resource: arn:aws:kms:key/1 because no policy …",
            "kms:TagResource on arn:aws:kms:key/1",
        ),
    ],
)
def test_the_missing_action_is_what_aws_says_or_what_the_operation_needs(
    service: str, operation: str, message: str, action: str
) -> None:
    assert missing(service, operation, message) == action


def test_a_key_that_is_to_be_deleted_is_no_key_that_is_gone(bench: Bench) -> None:
    """Else the next run would make another one, and nobody could read the objects any more."""
    made = bench.create(KEY, tags=TAGS)
    bench.moto.client("kms").schedule_key_deletion(KeyId=made.id, PendingWindowInDays=7)
    with pytest.raises(ProviderError, match=f"aws kms cancel-key-deletion --key-id {made.id}"):
        bench.read(KEY, made)
    assert bench.create(KEY, tags=TAGS).id != made.id, "a new one is not made of it either"


def test_a_bucket_with_objects_is_kept(bench: Bench) -> None:
    made = bench.bucket(NAME)
    s3 = bench.moto.client("s3")
    s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=NAME, Key="a", Body=b"1")
    s3.delete_object(Bucket=NAME, Key="a")
    with pytest.raises(ProviderError, match=r"has objects, or versions of deleted ones \(BucketNotEmpty\)"):
        bench.delete(BUCKET, made)
    assert bench.read(BUCKET, made) is not None


def test_nothing_ever_deletes_objects(bench: Bench) -> None:
    with pytest.raises(Unsupported, match="never deletes objects"):
        bench.bucket(NAME, forceDestroy=True)


def test_a_users_third_key_names_the_two_that_there_are(bench: Bench) -> None:
    bench.create(USER, name="app", tags=TAGS)
    keys = [bench.create("aws:iam/accessKey:AccessKey", user="app").id for _ in range(2)]
    with pytest.raises(ProviderError, match="LimitExceeded") as caught:
        bench.create("aws:iam/accessKey:AccessKey", user="app")
    assert all(key in str(caught.value) for key in keys)


def test_a_user_goes_with_every_key_it_has(bench: Bench) -> None:
    """Also one of a create that was killed, whose secret nobody knows."""
    made = bench.create(USER, name="app", tags=TAGS, forceDestroy=True)
    bench.moto.client("iam").create_access_key(UserName="app")
    bench.delete(USER, made)
    assert bench.read(USER, made) is None


def test_without_credentials_nothing_begins(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(ProviderError, match=r"no AWS credentials are found. Export AWS_PROFILE"):
        AwsProvider().configure({**moto.provider, "accessKey": "", "secretKey": ""})
    with pytest.raises(ProviderError, match="there is no AWS profile `prod`"):
        AwsProvider().configure({**moto.provider, "accessKey": "", "secretKey": "", "profile": "prod"})


def test_credentials_of_another_account_are_refused_before_anything_is_made(moto: Moto) -> None:
    theirs = moto.session_elsewhere()
    session = {"accessKey": theirs.access_key, "secretKey": theirs.secret_key, "token": str(theirs.token)}
    with pytest.raises(ProviderError, match=f"of the account {ELSEWHERE} .* only {ACCOUNT}.*Nothing was changed"):
        AwsProvider().configure({**moto.provider, **session})
    with pytest.raises(ProviderError, match=f"of the account {ACCOUNT}"):
        AwsProvider().configure({**moto.provider, "allowedAccountIds": "", "forbiddenAccountIds": f'["{ACCOUNT}"]'})


def test_a_role_is_assumed(moto: Moto) -> None:
    role = json.dumps([{"roleArn": f"arn:aws:iam::{ELSEWHERE}:role/deployer", "duration": "1h"}])
    with opened(moto, assumeRoles=role, allowedAccountIds=json.dumps([ELSEWHERE])) as provider:
        caller = provider.invoke("aws:index/getCallerIdentity:getCallerIdentity", {})
    assert caller["accountId"] == ELSEWHERE
    assert ":assumed-role/deployer/" in caller["arn"]


def test_what_programs_ask_for(bench: Bench) -> None:
    asked = bench.provider.invoke
    assert asked("aws:index/getPartition:getPartition", {})["dnsSuffix"] == "amazonaws.com"
    assert asked("aws:index/getRegion:getRegion", {})["region"] == "us-west-2"
    with pytest.raises(Unsupported, match="getRegions"):
        asked("aws:index/getRegions:getRegions", {})


@contextmanager
def answering(status: int, code: str, message: str) -> Iterator[str]:
    """An endpoint that gives one answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            error = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
            self.send_response(status)
            self.send_header("Content-Length", str(len(error)))
            self.end_headers()
            self.wfile.write(error.encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("code", "message", "says"),
    [
        ("ExpiredToken", "The security token included in the request is expired", "have ended .ExpiredToken.: log in"),
        ("InvalidClientTokenId", "The security token is invalid", "does not accept these credentials"),
        ("RequestTimeTooSkewed", "The difference is too large", "the clock of this machine is wrong"),
        ("SignatureDoesNotMatch", "Signature expired: 2026 is now earlier than 2027", "clock of this machine is wrong"),
        ("AccessDenied", "Access denied", "give them sts:GetCallerIdentity"),
    ],
)
def test_what_is_wrong_with_credentials_is_told_apart(moto: Moto, code: str, message: str, says: str) -> None:
    with answering(403, code, message) as endpoint:
        elsewhere = json.dumps([{"sts": endpoint}])
        with pytest.raises(ProviderError, match=says) as caught:
            AwsProvider().configure({**moto.provider, "endpoints": elsewhere, "secretKey": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_an_endpoint_that_is_down_is_named(moto: Moto) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ProviderError, match=f"nobody answers at {endpoint}"):
            AwsProvider().configure({**moto.provider, "endpoints": json.dumps([{"sts": endpoint}]), "maxRetries": "1"})


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"defaultTags": '{"tags": {"a": "b"}}'}, "does not carry out defaultTags"),
        ({"insecure": "true"}, "does not carry out insecure"),
        ({"endpoints": '[{"ec2": "http://127.0.0.1"}]'}, "endpoints has ec2"),
        ({"assumeRoles": '[{"roleArn": "arn:aws:iam::1:role/a", "tags": {"a": "b"}}]'}, "assumeRoles has tags"),
        ({"assumeRoles": '[{"roleArn": "arn:aws:iam::1:role/a", "duration": "soon"}]'}, 'write for example "1h"'),
    ],
)
def test_a_configuration_that_would_be_ignored_is_refused(moto: Moto, config: dict[str, str], says: str) -> None:
    with pytest.raises(ProviderError, match=says):
        AwsProvider().configure({**moto.provider, **config})


@pytest.mark.parametrize(
    ("type", "inputs", "says"),
    [
        (BUCKET, {"bucket": "Files"}, "is no name for a bucket"),
        (BUCKET, {"bucket": NAME, "tags": {"a": "x" * 257}}, "has 257 characters, and at most 256"),
        (BUCKET, {"bucket": NAME, "tags": {f"k{n}": "x" for n in range(51)}}, "at most 50"),
        (BUCKET, {"bucket": NAME, "tags": {"aws:x": "y"}}, 'not beginning with "aws:"'),
        (setting("BucketPolicy"), {"bucket": NAME, "policy": "{"}, "is not JSON"),
        (KEY, {"deletionWindowInDays": 3}, "not between 7 and 30"),
        ("aws:kms/alias:Alias", {"name": "files", "targetKeyId": "1"}, 'write "alias/files"'),
    ],
)
def test_a_mistake_is_found_before_anything_is_asked(
    bench: Bench, type: str, inputs: dict[str, Any], says: str
) -> None:
    with pytest.raises(CheckFailed, match=says):
        bench.provider.check(call(type), None, inputs)


@pytest.mark.parametrize("name", ["acl", "policy", "lifecycleRules"])
def test_what_is_a_resource_of_its_own_today_is_refused_in_a_bucket(bench: Bench, name: str) -> None:
    with pytest.raises(Unsupported, match=name):
        bench.provider.check(call(BUCKET), None, {"bucket": NAME, name: "x"})
    with pytest.raises(Unsupported, match="there are AccessKey, Alias, Bucket"):
        bench.provider.check(call("aws:ec2/vpc:Vpc"), None, {})
