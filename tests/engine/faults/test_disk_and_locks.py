"""A disk that is full in the middle of a run, a lock whose process is dead, and two engines on one directory."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.engine.cloud import Cloud
from tests.engine.faults import runs
from tests.engine.faults.programs import Node, versions
from tests.engine.faults.zygote import Zygote

SEED = 3


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Path]:
    """A folder whose state is on a disk of 48 KiB."""
    state = tmp_path / "stack" / "state"
    state.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", state], capture_output=True)
    if mounted.returncode:
        pytest.skip("needs the right to mount a tmpfs")
    try:
        yield state.parent
    finally:
        subprocess.run(["umount", state], check=True)


@pytest.mark.parametrize("large", [False, True])
def test_a_disk_that_is_full_in_the_middle_loses_nothing(stack: Path, large: bool) -> None:
    nodes = tuple(Node(name=f"r{number}", physical=f"r{number}", secret="s" * 1500) for number in range(20))
    full = runs.run(stack, nodes, Cloud(stack / "cloud"), large=large)
    assert full.code != 0
    assert "could not save the state: No space left on device" in full.text
    assert "make room" in full.text
    state = runs.snapshot(stack)
    known = {entry.id for entry in state.resources}
    known |= {f"{item.resource.name}-{item.resource.inputs['label']}" for item in state.pending}
    things = set(Cloud(stack / "cloud").things())
    assert 0 < len(things) < len(nodes), "the disk was not full in the middle"
    assert things <= known, "a thing that nobody knows of"
    subprocess.run(["mount", "-o", "remount,size=4m", stack / "state"], check=True)
    done = runs.run(stack, nodes, Cloud(stack / "cloud"), refresh=True, large=large)
    assert done.code == 0, done.text
    state = runs.snapshot(stack)
    assert state.pending == ()
    assert {entry.id for entry in state.resources if entry.type == "test:index:Thing"} == set(
        Cloud(stack / "cloud").things()
    )
    assert len(Cloud(stack / "cloud").things()) == len(nodes)


def test_the_lock_of_a_killed_engine_is_taken_over_and_that_is_said(tmp_path: Path) -> None:
    first, second = versions(SEED)
    with Zygote() as zygote:
        moments = zygote.run(tmp_path, first).moments
        assert zygote.run(tmp_path, second, die_at=moments // 2).killed
        locks = list(tmp_path.glob("state/.pulumi/locks/organization/p/dev/*.json"))
        assert len(locks) == 1
        done = zygote.run(tmp_path, second)
    assert done.code == 0, done.text
    assert "took over the lock of" in done.text
    assert not locks[0].exists()


def test_of_two_engines_on_one_directory_one_waits_its_turn_or_is_refused(tmp_path: Path) -> None:
    """They start at once, five times; whoever is refused changes nothing."""
    first, second = versions(SEED)
    whole, shared = tmp_path / "whole", tmp_path / "shared"
    for folder in (whole, shared):
        folder.mkdir()
    refused = 0
    with Zygote() as one, Zygote() as other, ThreadPoolExecutor(2) as pool:
        for version in (first, second, first, second, first):
            assert one.run(whole, version).code == 0
            answers = list(pool.map(lambda zygote, version=version: zygote.run(shared, version), (one, other)))
            codes = [answer.code for answer in answers]
            assert 0 in codes, [answer.text for answer in answers]
            for answer in answers:
                if answer.code != 0:
                    assert "the stack is locked by" in answer.text
                    refused += 1
            assert runs.normal(runs.snapshot(shared)) == runs.normal(runs.snapshot(whole))
            assert Cloud(shared / "cloud").things() == Cloud(whole / "cloud").things()
    assert refused > 0, "they never met"
