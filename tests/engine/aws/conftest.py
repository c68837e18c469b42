"""A provider on moto's server, which is emptied before each test."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from engine.providers.aws import AwsProvider
from engine.providers.base import Call, Diff, Old
from tests.moto_server import Moto, running

BUCKET = "aws:s3/bucket:Bucket"
KEY = "aws:kms/key:Key"
ALIAS = "aws:kms/alias:Alias"
USER = "aws:iam/user:User"
TAGS = {"strata.stack": "strata/test", "strata.name": "thing"}


def call(type: str, name: str = "thing") -> Call:
    return Call(urn=f"urn:pulumi:test::project::{type}::{name}", type=type, name=name, random_seed=b"seed")


def setting(name: str) -> str:
    """The token of a setting of a bucket."""
    return f"aws:s3/{name[0].lower()}{name[1:]}:{name}"


@dataclass
class Bench:
    """The provider as an engine uses it."""

    moto: Moto
    provider: AwsProvider

    def create(self, type: str, **inputs: Any) -> Old:
        checked = self.provider.check(call(type), None, inputs)
        id, outputs = self.provider.create(call(type), checked)
        return Old(id, checked, outputs)

    def read(self, type: str, old: Old) -> Old | None:
        return self.provider.read(call(type), old)

    def diff(self, type: str, old: Old, **inputs: Any) -> Diff:
        return self.provider.diff(call(type), old, self.provider.check(call(type), old.inputs, inputs))

    def update(self, type: str, old: Old, **inputs: Any) -> Old:
        checked = self.provider.check(call(type), old.inputs, inputs)
        return Old(old.id, checked, self.provider.update(call(type), old, checked))

    def delete(self, type: str, old: Old) -> None:
        self.provider.delete(call(type), old)

    def bucket(self, name: str = "strata-test-files", **more: Any) -> Old:
        return self.create(BUCKET, bucket=name, tags=TAGS, **more)


@pytest.fixture(scope="session")
def server() -> Iterator[Moto]:
    with running() as moto:
        yield moto


@pytest.fixture
def moto(server: Moto) -> Moto:
    server.reset()
    return server


@pytest.fixture(scope="session")
def provider(server: Moto) -> Iterator[AwsProvider]:
    """One for all tests, since clients take a while to be made."""
    with opened(server) as provider:
        yield provider


@pytest.fixture
def bench(moto: Moto, provider: AwsProvider) -> Bench:
    return Bench(moto, provider)


@contextmanager
def opened(moto: Moto, **config: str) -> Iterator[AwsProvider]:
    """A provider with its own configuration."""
    provider = AwsProvider()
    try:
        provider.configure({**moto.provider, **config})
        yield provider
    finally:
        provider.close()
