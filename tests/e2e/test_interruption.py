"""SIGKILL of the engine at any moment: the next `up` converges, with no orphan and no duplicate."""

import json
import os
import random
import signal
import time

import pytest

from tests.e2e.project import Project, containers, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.docker]

SEED = int(os.environ.get("STRATA_TEST_SEED", random.SystemRandom().randrange(1 << 32)))


def resources(project: Project) -> list[str]:
    latest = json.loads(project.state_file.read_text())["checkpoint"]["latest"]
    return [r["urn"] for r in latest.get("resources", [])]


def progress(project: Project) -> int:
    """How many resources the state has: what was finished when the engine died."""
    try:
        return len(resources(project))
    except (FileNotFoundError, KeyError, TypeError, json.JSONDecodeError):
        return 0


def kill_after(project: Project, finished: int, delay: float) -> None:
    """Start `up`; SIGKILL the whole process group `delay` seconds after it recorded `finished` resources."""
    process = project.start("up", "--yes")
    eventually(
        f"{finished} resources are recorded",
        lambda: progress(project) >= finished or process.poll() is not None,
        seconds=120,
    )
    time.sleep(delay)  # not a wait for something: the moment of the kill is random on purpose
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_up_converges_after_a_kill_at_any_moment(project: Project) -> None:
    chance = random.Random(SEED)
    moments = [
        (0, chance.uniform(0.5, 3)),
        (8, chance.uniform(0, 0.5)),
        (16, chance.uniform(0, 2)),
        (24, chance.uniform(0, 1)),
    ]
    print(f"STRATA_TEST_SEED={SEED} kills at {moments}")  # noqa: T201 - pytest shows it when the test fails
    for finished, delay in moments:
        kill_after(project, finished, delay)
    project.up().succeeded()
    latest = json.loads(project.state_file.read_text())["checkpoint"]["latest"]
    assert latest.get("pending_operations", []) == []
    urns = [r["urn"] for r in latest["resources"]]
    assert len(urns) == len(set(urns))
    assert sorted(str(c.name) for c in containers(project.stack)) == [
        f"{project.stack}-db-postgres",
        f"{project.stack}-object-store",
        f"{project.stack}-redis",
        f"{project.stack}-vector-db",
    ]
    project.up("--expect-no-changes").succeeded()
    with project.database() as connection:
        connection.execute("SET ROLE service_role")
        assert connection.execute("SELECT count(*) FROM storage.buckets").fetchone() == (3,)
