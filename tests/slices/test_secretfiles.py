"""Secrets of the host's user."""

import os
import stat
from pathlib import Path

import pytest

from components.privatefiles import state_home
from components.secretfiles import SecretFileError, read_secret, remove_secret, secret_path, write_secret


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_user_reads_it_whatever_the_umask(home: Path) -> None:
    before = os.umask(0)
    try:
        path = write_secret("dev", "postgres/admin", "s3cret")
    finally:
        os.umask(before)
    assert path == home / "strata" / "secrets" / "dev" / "postgres" / "admin"
    assert mode(path) == 0o600
    folder = path.parent
    while folder != home:
        assert mode(folder) == 0o700, folder
        folder = folder.parent
    assert read_secret("dev", "postgres/admin") == "s3cret"


def test_a_write_replaces_and_leaves_nothing_beside() -> None:
    write_secret("dev", "a", "one")
    path = write_secret("dev", "a", "two")
    assert read_secret("dev", "a") == "two"
    assert list(path.parent.iterdir()) == [path]


def test_a_missing_secret_says_which_file_and_what_makes_it(home: Path) -> None:
    with pytest.raises(
        SecretFileError, match=r"secrets/dev/redis/admin is missing\. `strata up --stack dev` writes it"
    ):
        read_secret("dev", "redis/admin")


def test_remove_is_idempotent() -> None:
    write_secret("dev", "a", "one")
    remove_secret("dev", "a")
    remove_secret("dev", "a")
    assert not secret_path("dev", "a").exists()


@pytest.mark.parametrize("name", ["../other/admin", "a/../b", "/etc/passwd", "", "a//b", ".hidden", "a/.b"])
def test_no_name_leaves_its_folder(name: str) -> None:
    for stack, secret in (("dev", name), (name, "admin")):
        with pytest.raises(SecretFileError, match="is no name of a secret"):
            write_secret(stack, secret, "x")


def test_an_unwritable_place_is_named(home: Path) -> None:
    (home / "strata").write_text("a file where the folder should be")
    with pytest.raises(SecretFileError, match="strata/secrets/dev/a cannot be written"):
        write_secret("dev", "a", "x")


def test_without_xdg_the_state_lies_in_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for value in ("", "relative/path"):
        monkeypatch.setenv("XDG_STATE_HOME", value)
        assert state_home() == tmp_path / ".local" / "state" / "strata"
