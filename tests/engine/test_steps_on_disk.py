"""A large state is saved step by step: no step is lost, no more is written than has changed."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import steplog
from engine.backend import StackFiles
from engine.checkpoint import Writer
from engine.errors import EngineError
from engine.journal import Journal
from engine.secrets import Vault
from engine.state import PendingOperation, ResourceState, Snapshot
from engine.steps import load, log_of
from tests.engine.direct import Direct, Registering
from tests.engine.saves import SALT, snapshot

Record = Callable[[Journal], None]


@pytest.fixture
def vault() -> Vault:
    """Without the slow derivation of a key."""
    return Vault(bytes(32), SALT)


@pytest.fixture
def files(tmp_path: Path) -> StackFiles:
    return StackFiles(f"file://{tmp_path}/state", "p", "dev")


@pytest.fixture(autouse=True)
def always_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every state were large, and no whole save due but for the size of the log."""
    monkeypatch.setattr(steplog, "LARGE", 0)
    monkeypatch.setattr(steplog, "SHARE", 1_000_000)


def on_disk(files: StackFiles) -> Any:
    """What the stack file and its log say together, without times."""
    latest = load(files.path)["checkpoint"]["latest"]
    return latest.get("resources", []), latest.get("pending_operations", [])


def in_memory(journal: Journal, vault: Vault) -> Any:
    whole = json.loads(Writer("organization/p/dev", vault).encode(journal.snapshot()))
    latest = whole["checkpoint"]["latest"]
    return latest.get("resources", []), latest.get("pending_operations", [])


def thing(name: str, *after: str, **more: Any) -> ResourceState:
    return ResourceState(urn=name, type="t:t:T", custom=True, id=name, dependencies=after, **more)


def test_every_kind_of_change_is_as_in_memory(files: StackFiles, vault: Vault) -> None:
    a, b, c, d, gone = thing("a"), thing("b", "a"), thing("c", "b"), thing("d"), thing("gone")
    left = PendingOperation(thing("x"), "creating")
    journal = Journal(Snapshot(resources=(a, b, c, d, gone), pending=(left,)), lambda j: files.record(j, vault))
    journal.flush()
    assert not log_of(files.path).exists(), "the first save of a run is a whole one"
    update = journal.begin(a, "updating")
    delete = journal.begin(gone, "deleting")
    steps: list[Callable[[], object]] = [
        lambda: journal.record(thing("a", inputs={"value": 2}), supersedes=a, operation=update),
        lambda: journal.drop(gone, delete),
        lambda: journal.mark(b, delete=True),
        lambda: journal.record(thing("b2", aliases=("b",)), supersedes=None),
        lambda: journal.set_outputs("a", {"x": 1}),
        lambda: journal.set_outputs("d", {"y": 1}),
        lambda: journal.correct(c, thing("c", "b2", outputs={"seen": 1})),
        lambda: journal.abandon(journal.begin(thing("y"), "creating")),
        lambda: journal.begin(thing("x"), "creating"),
        lambda: journal.record(thing("x"), operation=list(journal._pending)[0]),  # noqa: RUF015
        lambda: journal.mark(d, pending_replacement=True),
        lambda: journal.drop(b),
    ]
    for number, step in enumerate(steps):
        step()
        journal.flush()
        assert on_disk(files) == in_memory(journal, vault), f"after step {number}"
    assert log_of(files.path).exists()
    assert [entry["urn"] for entry in on_disk(files)[0]] == ["a", "b2", "x", "c", "d"]
    files.save(journal.snapshot, vault)
    assert not log_of(files.path).exists(), "the last save of a run is a whole one"
    assert on_disk(files) == in_memory(journal, vault)


def test_whole_runs_are_the_same_on_disk_as_in_memory(
    direct: Direct, files: StackFiles, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.engine.direct.PARALLEL", 1)  # nothing changes between a save and a look at it

    def program(kind: str, *names: str) -> Any:
        def run(p: Registering) -> None:
            a = p.thing("a", {"kind": kind, "dbr": True})
            b = p.thing("b", {"kind": kind}, after=[a])
            c = p.thing("c", of={"kind": a}, parent=b)
            for name in names:
                p.thing(name, after=[c, b])
            p.outputs(p.stack, {"kind": kind})

        return run

    seen = []

    def record(journal: Journal) -> None:
        files.record(journal, vault)
        seen.append(on_disk(files) == in_memory(journal, vault))

    for run in (program("x", "d"), program("y"), program("z", "e"), None):
        assert not direct.run(run, save=record).failed
    assert len(seen) > 20
    assert all(seen)


def test_a_run_on_targets_is_the_same_on_disk_as_in_memory(direct: Direct, files: StackFiles, vault: Vault) -> None:
    """Its entries are put in order, which steps do not tell."""

    def record(journal: Journal) -> None:
        files.record(journal, vault)
        assert on_disk(files) == in_memory(journal, vault)

    direct.run(lambda p: p.thing("b", after=[p.thing("a", {"value": 1})]))
    turned = lambda p: (p.thing("b"), p.thing("a", {"value": 2}), p.thing("new"))  # noqa: E731
    assert not direct.run(turned, targets=("**::a", "**::new"), save=record).failed
    assert not log_of(files.path).exists()


def test_what_is_written_is_in_proportion_to_what_changed(
    files: StackFiles, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = 0

    def counting(write: Callable[..., Any], size: Callable[..., int]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal written
            written += size(*arguments)
            return write(*arguments, **options)

        return call

    journal = Journal(Snapshot(), lambda j: files.record(j, vault))
    monkeypatch.setattr("engine.backend.replace_file", counting(_no_sync, lambda path, content: len(content)))
    monkeypatch.setattr("engine.steplog.os.write", counting(os.write, lambda _, content: len(content)))
    monkeypatch.setattr("engine.steplog.os.fdatasync", lambda _: None)
    for entry in snapshot(1, size=1000).resources:
        journal.record(entry, operation=journal.begin(entry, "creating"))
        journal.flush()
    files.save(journal.snapshot, vault)
    size = files.path.stat().st_size
    assert size > 1_000_000
    assert written < 8 * size, "with a whole save at each step it is a thousand times the size"


def _no_sync(path: Path, content: bytes, **_: Any) -> None:
    path.write_bytes(content)


def running(files: StackFiles, vault: Vault) -> Journal:
    """A run whose first step is in the stack file and whose second is in the log."""
    journal = Journal(Snapshot(), lambda j: files.record(j, vault))
    for name in ("a", "b"):
        journal.record(thing(name))
        journal.flush()
    return journal


def names(files: StackFiles) -> list[str]:
    return [entry["urn"] for entry in on_disk(files)[0]]


def test_a_line_that_was_cut_off_is_no_step(files: StackFiles, vault: Vault) -> None:
    running(files, vault)
    log = log_of(files.path)
    assert names(files) == ["a", "b"]
    whole = log.read_bytes()
    for end in range(len(whole)):
        log.write_bytes(whole[:end])
        assert names(files) == ["a"]
    log.write_bytes(whole + b'[{"put":{"urn":"c"')
    assert names(files) == ["a", "b"]


def test_a_log_means_nothing_after_somebody_else_saved(files: StackFiles, vault: Vault) -> None:
    running(files, vault)
    files.path.write_bytes(files.path.read_bytes().replace(b'"id":"a"', b'"id":"z"'))
    assert names(files) == ["a"]
    with files.lock(pytest.fail):
        assert files.fold() is False
    assert not log_of(files.path).exists()


def test_the_official_cli_gets_all_steps(files: StackFiles, vault: Vault) -> None:
    running(files, vault)
    before = files.path.read_bytes()
    with files.lock(pytest.fail):
        assert files.fold() is True
    whole = json.loads(files.path.read_bytes())["checkpoint"]["latest"]
    assert [entry["urn"] for entry in whole["resources"]] == ["a", "b"]
    assert files.backup.read_bytes() == before
    assert not log_of(files.path).exists()
    assert oct(files.path.stat().st_mode)[-3:] == "600"


def test_the_next_run_goes_on_from_the_log(files: StackFiles) -> None:
    _, vault = files.open("pass")
    running(files, vault)
    again = StackFiles(f"file://{files.path.parents[3]}", "p", "dev")
    snapshot, _ = again.open("pass")
    assert [entry.urn for entry in snapshot.resources] == ["a", "b"]


def test_a_log_that_cannot_be_written_is_an_error_and_the_next_save_a_whole_one(
    files: StackFiles, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = running(files, vault)

    journal.record(thing("c"))
    with monkeypatch.context() as context:
        context.setattr("engine.steplog.os.write", lambda *_: _full())
        with pytest.raises(EngineError, match="could not save the state: No space left"):
            journal.flush()
    assert names(files) == ["a", "b"]
    journal.record(thing("d"))
    journal.flush()
    assert names(files) == ["a", "b", "c", "d"]
    assert not log_of(files.path).exists()


def test_after_a_whole_save_that_failed_the_next_one_has_all(
    files: StackFiles, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = running(files, vault)
    journal.record(thing("c"))
    with monkeypatch.context() as context:
        context.setattr(steplog.Pace, "whole_is_due", True)
        context.setattr("engine.backend.replace_file", lambda *_, **__: _full())
        with pytest.raises(EngineError, match="could not save the state: No space left"):
            journal.flush()
    assert names(files) == ["a", "b"]
    journal.record(thing("d"))
    journal.flush()
    assert names(files) == ["a", "b", "c", "d"]


def _full() -> None:
    raise OSError(28, "No space left on device")
