"""The files are where the official CLI looks for them, only their owner reads them, and a damaged one is named."""

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from engine.backend import StackFiles
from engine.errors import EngineError
from engine.integrity import StateError
from engine.secrets import PassphraseError, Vault
from engine.state import Snapshot
from engine.values import Secret
from tests.engine.saves import ROOT, SALT, save, saved_generation, snapshot


@pytest.fixture
def vault() -> Vault:
    """Without the slow derivation of a key."""
    return Vault(bytes(32), SALT)


@pytest.fixture
def files(tmp_path: Path) -> StackFiles:
    return StackFiles(f"file://{tmp_path}/state", "shop", "dev")


def test_the_first_save_makes_what_the_cli_expects(files: StackFiles, vault: Vault, tmp_path: Path) -> None:
    assert not files.exists()
    assert not (tmp_path / "state").exists(), "looking must not make anything"
    files.save(lambda: snapshot(1), vault)
    home = tmp_path / "state" / ".pulumi"
    assert (home / "meta.yaml").read_text() == "version: 1\n"
    assert files.path == home / "stacks" / "shop" / "dev.json"
    assert saved_generation(files, vault) == 1


def test_only_the_owner_can_read(files: StackFiles, vault: Vault, tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        for generation in (1, 2):
            save(files, generation, vault)
        with files.lock(lambda text: None):
            files.add_history("update", succeeded=True, start=1, end=2, changes={}, config={})
            found = [tmp_path / "state", *(tmp_path / "state").rglob("*")]
            modes = {path: stat.S_IMODE(path.stat().st_mode) for path in found}
            contents = [path.read_bytes() for path in found if path.is_file()]
    finally:
        os.umask(old)
    assert len(modes) > 12
    assert not [path for path, mode in modes.items() if mode not in (0o700, 0o600)]
    assert not [content for content in contents if b"s3cr3t" in content]


def test_a_saved_state_opens_with_its_passphrase_only(files: StackFiles) -> None:
    empty, made = files.open("right")
    assert empty.resources == ()
    files.save(lambda: snapshot(7), made)
    again, reopened = StackFiles(f"file://{files.path.parents[3]}", "shop", "dev").open("right")
    assert again.stack_outputs == {"key": Secret(7)}
    assert reopened.salt == made.salt
    with pytest.raises(
        PassphraseError, match=rf"incorrect passphrase for {files.path}: .*PULUMI_CONFIG_PASSPHRASE_FILE"
    ):
        files.open("wrong")


def test_the_salt_of_the_stack_file_wins_for_new_ciphertexts(files: StackFiles) -> None:
    _, first = files.open("right")
    files.save(lambda: snapshot(7), first)
    other = Vault.create("right").salt
    read, vault = files.open("right", salt=other)
    assert read.stack_outputs == {"key": Secret(7)}
    assert vault.salt == other
    files.save(lambda: read, vault)
    assert files.open("right")[0].stack_outputs == {"key": Secret(7)}
    with pytest.raises(PassphraseError, match=r"the encryptionsalt in Pulumi\.dev\.yaml"):
        files.open("right", salt=Vault.create("other").salt)


def test_the_state_before_the_last_save_is_kept(files: StackFiles, vault: Vault) -> None:
    for generation in (1, 2, 3):
        save(files, generation, vault)
    files.path.write_bytes(b"")  # an edit in place must not reach the copy
    files.backup.replace(files.path)
    assert saved_generation(files, vault) == 2


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda text: text[: len(text) // 2], "not JSON"),
        (lambda text: b"", "not JSON"),
        (lambda text: text.replace(b'"parent":"urn', b'"parent":"xrn', 1), "its parent xrn.* is missing"),
        (lambda text: text.replace(b'"magic":"', b'"magic":"0', 1), "magic number"),
        (lambda text: text.replace(b'"ciphertext":"v1:', b'"ciphertext":"v1:A', 1), "outputs/key: cannot be decrypted"),
        (lambda text: text.replace(b'"salt":"v1:', b'"salt":"v9:', 1), "encryption salt is damaged"),
        (lambda text: b"\xff" + text, "not JSON"),
    ],
)
def test_a_damaged_state_is_named_with_the_way_back(damage: object, reason: str, files: StackFiles) -> None:
    assert callable(damage)
    _, vault = files.open("")
    files.save(lambda: snapshot(1), vault)
    good = files.path.read_bytes()
    files.path.write_bytes(damage(good))
    with pytest.raises(StateError, match=reason) as without_copy:
        files.open("")
    assert "There is no whole copy of it" in str(without_copy.value)
    files.path.write_bytes(good)
    files.save(lambda: snapshot(2), vault)
    files.path.write_bytes(damage(files.path.read_bytes()))
    with pytest.raises(StateError) as with_copy:
        files.open("")
    command = f"cp '{files.backup}' '{files.path}'"
    assert command in str(with_copy.value)
    subprocess.run(["sh", "-c", command], check=True)
    assert files.open("")[0].stack_outputs == {"key": Secret(1)}


def test_an_unreadable_state_is_one_error(files: StackFiles, vault: Vault) -> None:
    files.path.mkdir(parents=True)
    (files.path.parents[2] / "meta.yaml").write_text("version: 1\n")
    with pytest.raises(EngineError, match=rf"{files.path}: Is a directory"):
        files.open("")


def test_a_save_that_breaks_a_rule_is_noticed_at_once(files: StackFiles, vault: Vault) -> None:
    with pytest.raises(StateError, match=rf"saved, but .*its parent {ROOT} is missing"):
        files.save(lambda: Snapshot(resources=snapshot(1).resources[1:]), vault)
    assert files.exists()


def test_the_history_is_what_the_cli_lists(files: StackFiles, vault: Vault) -> None:
    files.save(lambda: snapshot(1), vault)
    config = {"shop:key": {"secure": "v1:a:b"}, "shop:size": "3"}
    files.add_history(
        "update", succeeded=False, start=10.7, end=12.2, changes={"create": 3}, config=config, message="why"
    )
    folder = files.path.parents[2] / "history" / "shop" / "dev"
    entry, copy = sorted(folder.iterdir(), key=lambda path: path.suffixes[-2], reverse=True)
    assert entry.name.endswith(".history.json")
    assert copy.name == entry.name.replace(".history.", ".checkpoint.")
    assert copy.read_bytes() == files.path.read_bytes()
    assert json.loads(entry.read_bytes()) == {
        "kind": "update",
        "startTime": 10,
        "endTime": 12,
        "message": "why",
        "environment": {},
        "config": config,
        "version": 0,
        "result": "failed",
        "resourceChanges": {"create": 3},
    }


@pytest.mark.parametrize("url", ["s3://bucket", "https://api.pulumi.com", "postgres://x", "", "/plain/path"])
def test_shared_backends_are_left_to_the_cli(url: str) -> None:
    with pytest.raises(EngineError, match="use the pulumi CLI for shared state"):
        StackFiles(url, "shop", "dev")


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a b", "é"])
def test_names_never_leave_the_folder(name: str) -> None:
    for names in ((name, "dev"), ("shop", name)):
        with pytest.raises(EngineError) as refused:
            StackFiles("file:///tmp", *names)
        assert refused.value.exit_code == 2


def test_urls_as_the_cli_writes_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert StackFiles("file://~", "shop", "dev").path == tmp_path / ".pulumi/stacks/shop/dev.json"
    assert StackFiles("file:///a%20b?no_tmp_dir=true", "shop", "dev").path == Path("/a b/.pulumi/stacks/shop/dev.json")


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("meta.yaml", "version: 0\n", "pulumi state upgrade"),
        ("stacks/dev.json", "{}", "pulumi state upgrade"),
        ("stacks/shop/dev.json.gz", "", "compressed state"),
    ],
)
def test_other_layouts_are_refused(file: str, content: str, message: str, files: StackFiles, tmp_path: Path) -> None:
    path = tmp_path / "state/.pulumi" / file
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(EngineError, match=message):
        files.open("")
