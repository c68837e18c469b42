"""`strata cancel`: whose lock it is, and what may be removed."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from cli.cancel import cancel
from cli.errors import CliError, explain
from engine import steplog
from engine.backend import StackFiles
from engine.journal import Journal
from engine.lock import LockedError, StackLock
from engine.secrets import Vault
from engine.state import ResourceState, Snapshot
from infra.workspace import find


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of the locks of `dev`; the current folder is a project."""
    root = tmp_path / "checkout"
    root.mkdir()
    (root / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    monkeypatch.chdir(root)
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}/states")
    return tmp_path / "states/.pulumi/locks/organization/shop/dev"


def lock(folder: Path, **content: Any) -> Path:
    """As the official CLI writes it, with its notes."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "11111111-2222-3333-4444-555555555555.json"
    whole = {"pid": os.getpid(), "username": "ann", "hostname": socket.gethostname(), "timestamp": "2026-01-02"}
    file.write_text(json.dumps(whole | content))
    file.with_name(file.name + ".attrs").write_text("{}")
    return file


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_an_unlocked_stack_needs_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cancel("dev")
    assert capsys.readouterr().out == "The stack dev is not locked.\n"
    assert not folder.exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"pid": dead_pid()}, "ann@{host} (pid {pid}) since 2026-01-02; that process is gone."),
        ({}, "there is a process with that id, which may be another one by now."),
        ({"hostname": "elsewhere"}, "ann@elsewhere (pid {me}) since 2026-01-02; whether that process is running is"),
        ({"pid": "nobody"}, "555555555555.json, which does not say by whom."),
    ],
)
def test_it_says_whose_it_is_and_removes_it_with_a_yes(
    folder: Path, capsys: pytest.CaptureFixture[str], content: dict[str, Any], says: str
) -> None:
    lock(folder, **content)
    with pytest.raises(CliError, match="--yes must be passed"):
        cancel("dev")
    assert len(list(folder.iterdir())) == 2
    cancel("dev", yes=True)
    assert list(folder.iterdir()) == []
    expected = says.format(host=socket.gethostname(), pid=content.get("pid"), me=os.getpid())
    assert expected in capsys.readouterr().out


def test_a_lock_that_is_held_stays(folder: Path) -> None:
    with StackLock(folder, pytest.fail):
        with pytest.raises(CliError, match=rf"that update is running. To end it: kill -INT {os.getpid()} "):
            cancel("dev", yes=True)
        assert len(list(folder.iterdir())) == 1


def test_another_stacks_lock_stays(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = lock(folder.with_name("prod"))
    cancel("dev", yes=True)
    assert file.exists()


def test_who_meets_a_lock_is_told_of_the_command(folder: Path) -> None:
    lock(folder, hostname="elsewhere")
    with pytest.raises(LockedError) as locked, StackLock(folder, pytest.fail):
        pass
    assert explain(locked.value)[0].endswith("`strata cancel` says whose it is, and removes it.")


def test_shared_state_is_the_clis(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi = tmp_path / "bin" / "pulumi"
    pulumi.parent.mkdir()
    pulumi.write_text(f'#!/bin/sh\necho "$PULUMI_BACKEND_URL $*" > {tmp_path}/record\nexit 3\n')
    pulumi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{pulumi.parent}:/usr/bin:/bin")
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://states")
    with pytest.raises(typer.Exit) as ended:
        cancel("dev", yes=True)
    assert ended.value.exit_code == 3
    assert (tmp_path / "record").read_text() == "s3://states cancel dev --yes\n"
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    with pytest.raises(CliError, match="install the `pulumi` command"):
        cancel("dev", yes=True)


def test_what_a_killed_run_had_finished_comes_into_the_state(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(steplog, "LARGE", 0)
    monkeypatch.setattr(steplog, "SHARE", 1_000_000)
    workspace = find("dev")
    files = StackFiles(workspace.backend_url, "shop", "dev")
    vault = Vault(bytes(32), "v1:c2FsdA==:v1:bm9uY2U=:cHJvb2Y=")
    journal = Journal(Snapshot(), lambda journal: files.record(journal, vault))
    for name in ("a", "b"):
        journal.record(ResourceState(urn=name, type="t:t:T", custom=True, id=name))
        journal.flush()
    lock(folder, pid=dead_pid())
    assert b'"urn":"b"' not in files.path.read_bytes()
    cancel("dev", yes=True)
    assert b'"urn":"b"' in files.path.read_bytes()
    assert "what it had finished is in the state now" in capsys.readouterr().out
    assert list(folder.iterdir()) == []
