"""Platforms are chosen by a setting, are the same to their consumers, and an absent one says so."""

import pytest

from components.docker.platform import DockerPlatform
from components.naming import LONGEST, MAX_NAME, Naming, prefix_problem
from components.platform import Platform
from infra import platforms, settings
from infra.mistakes import SettingsError
from tests.unit.test_settings import raw


def as_platform(platform: DockerPlatform) -> Platform:
    """mypy holds the class to the protocol."""
    return platform


def test_docker_promises_nothing_that_it_does_not_do() -> None:
    assert DockerPlatform.kind == "docker"
    assert DockerPlatform.guarantees == ()


def test_a_guarantee_that_the_platform_does_not_keep_is_refused_with_the_line_to_write() -> None:
    values = {**raw("prod"), "guarantees": ["encrypted_at_rest"]}
    values["platform"] = {"kind": "kubernetes", "storage": {"kind": "existing", "name": "standard"}}
    with pytest.raises(SettingsError, match="has `encrypted_at_rest`") as error:
        platforms.make(settings.parse(values, file="Pulumi.prod.yaml"), (), "strata", "prod")
    assert "storage: {kind: existing, name: …, encrypted: true}" in str(error.value)


def test_docker_is_refused_what_only_a_cluster_keeps() -> None:
    wanted = settings.parse({**raw("dev"), "guarantees": ["tls"]}, file="Pulumi.dev.yaml")
    with pytest.raises(SettingsError, match="has `tls`"):
        platforms.make(wanted, (), "strata", "dev")


def test_physical_names_are_the_documented_ones_without_a_prefix() -> None:
    names = Naming(project="strata", stack="dev", prefix="")
    assert names.data_volume("db-postgres") == "db-postgres-data"
    assert names.data_volume("redis") == "redis-data"
    assert names.stack_label == "strata/dev"


@pytest.mark.parametrize("prefix", ["dev-", "dev-alice-", "a1-", ""])
def test_prefixes_that_are_fine(prefix: str) -> None:
    assert prefix_problem(prefix) is None


@pytest.mark.parametrize("prefix", ["dev", "Dev-", "1-", "-", "a_b-", "a b-", "a" * (MAX_NAME - LONGEST) + "-"])
def test_prefixes_that_make_bad_names(prefix: str) -> None:
    assert prefix_problem(prefix)


def test_an_application_s_volume_is_called_as_it_claims_after_the_prefix_and_never_too_long() -> None:
    assert Naming(project="strata", stack="dev", prefix="").volume("db-storage-data") == "db-storage-data"
    names = Naming(project="strata", stack="test", prefix=f"{'a' * 40}-")
    long = [names.volume(f"{'b' * 38}{end}") for end in "12"]
    assert {len(name) for name in long} == {MAX_NAME}
    assert long[0] != long[1], "two volumes became one"


def test_a_bucket_s_name_follows_from_prefix_application_and_its_own_and_is_never_too_long() -> None:
    names = Naming(project="strata", stack="test", prefix="test-")
    assert names.bucket("alfred", "user-uploads") == "test-alfred-user-uploads"
    assert names.bucket("my_app", "files") == "test-my-app-files", "S3 knows no underscore"
    long = [names.bucket("a" * 40, f"{'b' * 38}{end}") for end in "12"]
    assert {len(name) for name in long} == {MAX_NAME}
    assert long[0] != long[1], "two buckets became one"
    assert long[0] == names.bucket("a" * 40, f"{'b' * 38}1")
