"""The same on a real Docker daemon: an engine killed between, before and after its requests.

STRATA_FAULT_SEED=1234 .venv/bin/pytest tests/engine/faults/test_docker_crashes.py
"""

import os
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.docker.conftest import client, image  # noqa: F401 - fixtures
from tests.engine.faults import runs
from tests.engine.faults.containers import Containers, world
from tests.engine.faults.zygote import Zygote

pytestmark = pytest.mark.docker

CI = (1, 2)
SOAK = 8


def _numbers() -> list[object]:
    if given := os.environ.get("STRATA_FAULT_SEED"):
        return [int(given)]
    fresh = random.SystemRandom()
    return [*CI, *(pytest.param(fresh.randrange(10**9), marks=pytest.mark.soak) for _ in range(SOAK))]


@pytest.fixture
def prefix(client: Any) -> Iterator[str]:  # noqa: F811 - the fixture above
    made = f"strata-fault-{os.urandom(4).hex()}"
    yield made
    for owner in (made, f"{made}-whole"):
        for container in client.containers(all=True, filters={"label": f"owner={owner}"}):
            client.remove_container(container["Id"], force=True, v=True)
        for network in client.networks(filters={"label": f"owner={owner}"}):
            client.remove_network(network["Id"])
        for volume in client.volumes(filters={"label": f"owner={owner}"})["Volumes"] or ():
            client.remove_volume(volume["Name"], force=True)


@pytest.mark.parametrize("seed", _numbers())
def test_containers_after_a_kill_are_those_of_an_undisturbed_run(
    seed: int,
    tmp_path: Path,
    prefix: str,
    client: Any,  # noqa: F811
    image: str,  # noqa: F811
) -> None:
    print(f"STRATA_FAULT_SEED={seed}")  # noqa: T201 - shown with a failure
    dice = random.Random(seed)
    whole, hurt = tmp_path / "whole", tmp_path / "hurt"
    first = Containers(prefix, image)
    with Zygote() as zygote:
        expected, moments = [], []
        whole.mkdir()
        for second in (False, True):
            answer = zygote.run(whole, replace(first, prefix=f"{prefix}-whole", second=second))
            assert answer.code == 0, answer.text
            expected.append(world(client, f"{prefix}-whole"))
            moments.append(answer.moments)
        hurt.mkdir()
        crashing = dice.choice((False, True))
        if crashing:
            assert zygote.run(hurt, first).code == 0
        moment = dice.randint(1, moments[crashing])
        killed = zygote.run(hurt, replace(first, second=crashing), die_at=moment)
        assert killed.killed or killed.code == 0, f"at {moment}: {killed.text}"
        for second in (False, True)[crashing:]:
            repaired = zygote.run(hurt, replace(first, second=second), refresh=True)
            assert repaired.code == 0, f"killed at {moment}: {repaired.text}"
            assert world(client, prefix) == expected[second], f"killed at {moment}"
        again = zygote.run(hurt, replace(first, second=True))
        assert again.code == 0
        assert not any(sign in again.text for sign in ("created", "updated", "deleted", "replaced")), again.text
        state = runs.snapshot(hurt)
        assert state.pending == ()
        assert sorted(entry.urn for entry in state.resources) == sorted(
            entry.urn for entry in runs.snapshot(whole).resources
        )
        assert zygote.run(hurt, (), command="destroy").code == 0
        assert world(client, prefix) == {}
