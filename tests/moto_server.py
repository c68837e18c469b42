"""An AWS for tests: moto's server in this process. It keeps every configuration, and enforces IAM where it is told."""

import json
import logging
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

ACCOUNT: Final = "123456789012"  # moto's own
ELSEWHERE: Final = "111122223333"  # another account, reached by a role
REGION: Final = "us-west-2"
_ENFORCED: Final = 0  # requests that are let pass before IAM is asked
_PLAIN: Final = {"Content-Type": "text/plain"}


@dataclass(frozen=True)
class Keys:
    """Of a user, or of a session."""

    access_key: str = "test"
    secret_key: str = "test"
    token: str | None = None


@cache
def _client(endpoint: str, service: str, keys: Keys, region: str) -> Any:
    import boto3  # type: ignore[import-untyped]

    session = boto3.session.Session(keys.access_key, keys.secret_key, keys.token, region)
    return session.client(service, endpoint_url=endpoint)


@dataclass(frozen=True)
class Moto:
    """The server; `client` is boto3's, as the account's own administrator where no other keys are given."""

    endpoint: str

    def client(self, service: str, keys: Keys | None = None, region: str = REGION) -> Any:
        return _client(self.endpoint, service, keys or Keys(), region)

    @property
    def provider(self) -> dict[str, str]:
        """The configuration of `pulumi:providers:aws` that leads here, as the SDK sends it."""
        endpoints = dict.fromkeys(("s3", "kms", "iam", "sts"), self.endpoint)
        return {
            "region": REGION,
            "accessKey": "test",
            "secretKey": "test",
            "endpoints": json.dumps([endpoints]),
            "s3UsePathStyle": "true",
            "allowedAccountIds": json.dumps([ACCOUNT]),
        }

    def session_elsewhere(self) -> Keys:
        """Of another account."""
        role = f"arn:aws:iam::{ELSEWHERE}:role/somebody"
        made = self.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        return Keys(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])

    def user(self, name: str, *actions: str) -> Keys:
        """Keys of a user who may do nothing but `actions`."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        self.allow(name, *actions)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return Keys(made["AccessKeyId"], made["SecretAccessKey"])

    def allow(self, name: str, *actions: str) -> None:
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.client("iam").put_user_policy(UserName=name, PolicyName="test", PolicyDocument=document)

    @contextmanager
    def enforced(self) -> Iterator[None]:
        """Every request is refused that no policy of its caller's allows."""
        self._post("reset-auth", str(_ENFORCED).encode())
        try:
            yield
        finally:
            self._post("reset-auth", b"1e18")

    def reset(self) -> None:
        self._post("reset", b"")

    def _post(self, path: str, body: bytes) -> None:
        request = urllib.request.Request(f"{self.endpoint}/moto-api/{path}", data=body, headers=_PLAIN, method="POST")  # noqa: S310
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310


@contextmanager
def running() -> Iterator[Moto]:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield Moto(f"http://{host}:{port}")
    finally:
        server.stop()
