"""Engines that end in the middle: killed at any moment, stopped by Ctrl-C, or cut off from their disk."""

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from engine import api
from engine.errors import EngineError
from tests.engine.packs import make_pack
from tests.engine.stack import Process, Stack

PROGRAM = """
a = Thing("a", value={value})
b = Thing("b", value=a.path, kind={kind!r}, label="b-{label}", at={at!r}, gate={gate!r})
c = Thing("c", value=b.path)
"""


def program(gate: Path, *, at: str = "", value: int = 1, kind: str = "x", label: str = "1") -> str:
    return PROGRAM.format(value=value, kind=kind, label=label, at=at, gate=str(gate))


@pytest.mark.parametrize(
    ("at", "change"),
    [
        ("created", {}),  # it exists, and the state does not know
        ("updated", {"kind": "x"}),
        ("created", {"kind": "y", "label": "2"}),  # its replacement exists beside it
    ],
)
def test_up_converges_after_a_kill(stack: Stack, tmp_path: Path, at: str, change: dict[str, str]) -> None:
    gate = tmp_path / "gate"
    if change:
        assert stack.up(program(gate)).result.succeeded
    engine = stack.start("up", program(gate, at=at, value=1, **change))
    engine.wait_for(gate.with_suffix(".reached"))
    engine.kill()
    pending = [(operation.type, operation.resource.name) for operation in stack.snapshot.pending]
    assert pending == [("updating" if "update" in at else "creating", "b")]

    gate.touch()
    done = stack.up(program(gate, at=at, value=1, **change))
    assert done.result.exit_code == 0, done.text
    assert ("interrupted while creating test:index:Thing 'b'" in done.text) == ("create" in at)
    assert f"{'update' if 'update' in at else 'create'} b" in stack.cloud.calls()
    assert stack.snapshot.pending == ()
    assert set(stack.cloud.things()) == {stack.entry(name).id for name in "abc"}
    assert stack.up().result.changes == {"same": 4}


def test_what_a_killed_creation_left_is_told_until_a_refresh_is_told_to_forget_it(stack: Stack, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    engine = stack.start("up", program(gate, at="created"))
    engine.wait_for(gate.with_suffix(".reached"))
    engine.kill()
    for options in ({}, {"clear_pending_creates": True}):
        told = stack.refresh(**options)
        assert "interrupted while creating test:index:Thing 'b': it may have left it behind." in told.text
    assert stack.snapshot.pending == ()
    assert "interrupted" not in stack.refresh().text


def test_an_interrupted_update_is_done_again_though_the_program_is_back_to_the_old_input(
    stack: Stack, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    stack.up(program(gate, at="updated"))
    engine = stack.start("up", program(gate, at="updated").replace("value=1)", "value=2)").replace("a.path", "'new'"))
    engine.wait_for(gate.with_suffix(".reached"))
    engine.kill()
    gate.touch()
    assert stack.cloud.things()["b-b-1"]["value"] == "new"
    done = stack.up(program(gate, at="updated"))
    assert "update b" in stack.cloud.calls(), done.text
    assert stack.cloud.things()["b-b-1"]["value"] == stack.entry("a").outputs["path"]


@pytest.mark.parametrize("still_wanted", [True, False])
def test_an_interrupted_deletion_is_finished_or_made_good(stack: Stack, tmp_path: Path, still_wanted: bool) -> None:
    gate = tmp_path / "gate"
    first = program(gate, at="deleted")
    stack.up(first)
    engine = stack.start("up", 'Thing("a", value=1)')
    engine.wait_for(gate.with_suffix(".reached"))
    engine.kill()
    assert "b-b-1" not in stack.cloud.things()
    assert any(entry.name == "b" for entry in stack.snapshot.resources)
    gate.touch()
    done = stack.up(first if still_wanted else 'Thing("a", value=1)')
    assert done.result.exit_code == 0, done.text
    assert set(stack.cloud.things()) == {e.id for e in stack.snapshot.resources if e.type == "test:index:Thing"}
    assert ("b-b-1" in stack.cloud.things()) == still_wanted


def test_what_was_deleted_for_its_replacement_keeps_its_place_for_what_refers_to_it(
    stack: Stack, tmp_path: Path
) -> None:
    """Else the state would break a rule of integrity until its replacement is there, and `up` would end with that."""
    gate = tmp_path / "gate"
    text = (
        'a = Thing("a", kind={kind!r}, label="same", dbr=True, at="deleted", gate={gate!r})\n'
        'b = Thing("b", opts=ResourceOptions(depends_on=a))\n'
    )
    stack.up(text.format(kind="x", gate=str(gate)))
    engine = stack.start("up", text.format(kind="y", gate=str(gate)))
    engine.wait_for(gate.with_suffix(".reached"))
    engine.kill()
    gate.touch()
    done = stack.up(text.format(kind="y", gate=str(gate)))
    assert done.result.exit_code == 0, done.text
    assert stack.cloud.things()["a-same"]["kind"] == "y"
    assert stack.up().result.changes == {"same": 3}


def test_ctrl_c_lets_what_is_under_way_finish_and_begins_nothing_new(stack: Stack, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    engine = stack.start("up", program(gate, at="created"))
    engine.wait_for(gate.with_suffix(".reached"))
    os.kill(engine.process.pid, signal.SIGINT)
    gate.touch()
    assert engine.ended() == api.ExitCode.CANCELLED, engine.log.read_text()
    assert {entry.name for entry in stack.snapshot.resources if entry.type == "test:index:Thing"} == {"a", "b"}
    assert stack.snapshot.pending == ()
    assert "cancelled" in engine.log.read_text()
    assert stack.up().result.changes == {"same": 3, "create": 1}


def test_a_second_ctrl_c_ends_at_once(stack: Stack, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    engine = stack.start("up", program(gate, at="created"))
    engine.wait_for(gate.with_suffix(".reached"))
    os.kill(engine.process.pid, signal.SIGINT)
    deadline = time.monotonic() + 20
    while "stopping" not in engine.log.read_text():
        assert time.monotonic() < deadline, engine.log.read_text()
        time.sleep(0.01)
    os.kill(engine.process.pid, signal.SIGINT)
    assert engine.ended() == api.ExitCode.CANCELLED
    assert [operation.type for operation in stack.snapshot.pending] == ["creating"]


@pytest.mark.parametrize(
    ("kind", "condition", "place"),
    [("resource", "args.resource_type == THING", " on test:index:Thing 'a'"), ("stack", "True", "")],
)
def test_ctrl_c_does_not_wait_for_a_policy_that_never_answers(
    stack: Stack, tmp_path: Path, kind: str, condition: str, place: str
) -> None:
    asked = tmp_path / "asked"
    hangs = f"""
        @{kind}("hangs")
        def hangs(args, report):
            if {condition}:
                import pathlib, threading
                pathlib.Path({str(asked)!r}).touch()
                threading.Event().wait()

        PolicyPack("p", [hangs])
        """
    pack = make_pack(tmp_path / "pack", hangs)
    engine = stack.start("up", 'Thing("a")', policy_pack=pack.folder)
    engine.wait_for(asked)
    os.kill(engine.process.pid, signal.SIGINT)
    assert engine.ended() == api.ExitCode.CANCELLED, engine.log.read_text()
    assert f"a policy of the pack {pack.folder} had not answered{place}" in engine.log.read_text()
    assert stack.cloud.calls() == []


def test_no_process_outlives_a_killed_engine(stack: Stack, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    text = program(gate, at="create") + "\nimport pulumi_random\npulumi_random.RandomId('r', byte_length=1)\n"
    engine = stack.start("up", text)
    engine.wait_for(gate.with_suffix(".reached"))
    children = psutil.Process(engine.process.pid).children(recursive=True)
    assert children
    engine.kill()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []


def test_the_second_engine_names_the_first(stack: Stack, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    engine = stack.start("up", program(gate, at="create"))
    engine.wait_for(gate.with_suffix(".reached"))
    with pytest.raises(EngineError, match=str(engine.process.pid)):
        stack.up()
    gate.touch()
    assert engine.ended() == 0


def test_a_full_disk_stops_the_run_with_one_error(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.up('Thing("a")')
    before = stack.files.path.read_bytes()

    def full(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.backend.replace_file", full)
    failed = stack.up('Thing("a")\nThing("b")\nThing("c")')
    assert failed.result.exit_code == 1
    assert failed.text.count("error: could not save the state: No space left on device") == 1
    assert stack.files.path.read_bytes() == before
    assert stack.cloud.calls() == []  # nothing is begun that cannot be recorded


@pytest.mark.parametrize("large", [False, True])
def test_a_kill_between_any_two_saves_loses_nothing(stack: Stack, large: bool) -> None:
    """Kills at random moments until a run gets through: no thing may exist that the state does not know."""
    text = 'things = [Thing(f"t{n}", value=n, label=f"l{n}") for n in range(8)]'
    for attempt in range(4):
        engine = stack.start("up", text, large=large)
        _wait_for_calls(stack, engine, 2 * attempt + 1)
        engine.kill()
        calls = stack.cloud.calls()
        pending = {operation.resource.name for operation in stack.snapshot.pending}
        known_names = {entry.name for entry in stack.snapshot.resources} | pending
        assert known_names >= {call.removeprefix("create ") for call in calls}, "a step was begun and not recorded"
    done = stack.up(text)
    assert done.result.exit_code == 0, done.text
    known = {entry.id for entry in stack.snapshot.resources if entry.type == "test:index:Thing"}
    assert set(stack.cloud.things()) == known
    assert len(known) == 8


def _wait_for_calls(stack: Stack, engine: Process, count: int) -> None:
    deadline = time.monotonic() + 20
    while len(stack.cloud.calls()) < count and engine.process.poll() is None:
        assert time.monotonic() < deadline, engine.log.read_text()
        time.sleep(0.002)
