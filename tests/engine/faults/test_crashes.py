"""An engine killed at any moment: after the next `up`, with `--refresh` or without, it is as if nothing had happened.

Each case is a number: it makes the program, its versions and the moment. A failure names it:

    STRATA_FAULT_SEED=1234 .venv/bin/pytest tests/engine/faults/test_crashes.py

runs that one again (three times, since threads run as they like; an even number runs one operation at a time, and the
same way each time). `make soak` takes new ones.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.state import Snapshot
from tests.engine.cloud import Cloud
from tests.engine.faults import runs
from tests.engine.faults.programs import versions
from tests.engine.faults.zygote import Zygote

CI = range(1, 41)
SOAK = 150


def _numbers() -> list[object]:
    if given := os.environ.get("STRATA_FAULT_SEED"):
        return [pytest.param(int(given), id=f"{given}-{turn}") for turn in range(3)]
    fresh = random.SystemRandom()
    more = [pytest.param(fresh.randrange(10**9), marks=pytest.mark.soak) for _ in range(SOAK)]
    return [*CI, *more]


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with Zygote() as made:
        yield made


@pytest.mark.parametrize("seed", _numbers())
def test_a_kill_at_any_moment_leaves_nothing_that_the_next_up_does_not_make_good(
    zygote: Zygote, tmp_path: Path, seed: int
) -> None:
    print(f"STRATA_FAULT_SEED={seed}")  # noqa: T201 - shown with a failure
    dice = random.Random(seed)
    first, second = versions(seed)
    options = {"parallel": 1 if seed % 2 == 0 else 8, "large": dice.random() < 0.3}
    whole, hurt = _folder(tmp_path / "whole"), _folder(tmp_path / "hurt")
    moments = []
    for version in (first, second):
        answer = zygote.run(whole, version, **options)
        assert (answer.killed, answer.code) == (False, 0), answer.text
        moments.append(answer.moments)

    kills = 0
    crashing = dice.choice((0, 1, 1))  # the first version, or the change to the second
    if crashing == 1:
        assert zygote.run(hurt, first, **options).code == 0
    for _ in range(dice.choice((1, 1, 2))):  # what repairs can be killed, too
        moment = dice.randint(1, moments[crashing])
        answer = zygote.run(hurt, (first, second)[crashing], die_at=moment, refresh=dice.random() < 0.5, **options)
        kills += answer.killed
        assert answer.killed or answer.code == 0, f"killed at {moment} of {moments[crashing]}: {answer.text}"
    _nothing_is_unaccounted_for(hurt, retained={node.physical for node in (*first, *second) if node.retain})

    refresh = dice.random() < 0.5
    for version in (first, second)[crashing:]:
        repaired = zygote.run(hurt, version, refresh=refresh, **options)
        assert repaired.code == 0, f"{kills} kills; {repaired.text}"
    again = zygote.run(hurt, second, **options)
    assert again.code == 0, again.text
    assert not any(sign in again.text for sign in ("created", "updated", "deleted", "replaced")), again.text
    _same(whole, hurt)

    for folder in (whole, hurt):
        assert zygote.run(folder, (), command="destroy", **options).code == 0
    assert _things(whole) == _things(hurt)
    assert runs.snapshot(hurt).resources == ()


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _things(folder: Path) -> dict[str, Any]:
    return Cloud(folder / "cloud").things()


def _same(whole: Path, hurt: Path) -> None:
    """The stack is as in the run that nobody disturbed, and so is the world."""
    expected, found = runs.snapshot(whole), runs.snapshot(hurt)
    assert runs.normal(found) == runs.normal(expected)
    assert _things(hurt) == _things(whole)
    assert found.pending == ()
    assert not list((hurt / "state").rglob("*.lock")), "a lock is left"
    assert not list((hurt / "state").rglob("*.steps")), "a log of steps is left"


def _nothing_is_unaccounted_for(folder: Path, retained: set[str]) -> None:
    """Right after a kill: whatever is in the world is in the state, or in an operation that it knows to be open.

    And what an operation that was begun depends on is in the state as finished.
    """
    if not (folder / "state" / ".pulumi" / "stacks" / "p" / "dev.json").exists():
        assert _things(folder) == {}, "a thing was made before the state was written"
        return
    state = runs.snapshot(folder)
    known = {entry.id for entry in state.resources} | _open(state)
    unknown = {id for id, thing in _things(folder).items() if id not in known and _physical(thing) not in retained}
    assert unknown == set(), "things that nobody knows of"
    finished = {entry.urn for entry in state.resources}
    for item in state.pending:
        missing = item.resource.all_dependencies() - finished if item.type != "deleting" else set()
        assert missing == set(), f"{item.type} {item.resource.urn} was begun before what it depends on was recorded"


def _physical(thing: Any) -> str:
    """Without what tells a replacement from what it replaces."""
    return str(thing["label"]).partition("-")[0]


def _open(state: Snapshot) -> set[str]:
    """Physical names of what was being made or deleted."""
    return {f"{item.resource.name}-{item.resource.inputs['label']}" for item in state.pending if item.resource.inputs}
