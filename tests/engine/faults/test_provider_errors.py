"""A provider that fails at one call, whichever it is: that is told, nothing is lost, and the next run goes on."""

import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.providers.base import Call, Diff, Old, PartialFailure, Properties, ProviderError
from tests.engine.cloud import Cloud
from tests.engine.faults import runs
from tests.engine.faults.programs import Version, versions

SEEDS = (3, 15)
OPERATIONS = ("check", "diff", "create", "read", "update", "delete")


class Failing(Cloud):
    """The `at`-th call of `operation`, counted from 1, fails; 0 is none. `partly`: after a thing was made."""

    def __init__(self, folder: Path, operation: str = "", at: int = 0, *, partly: bool = False) -> None:
        super().__init__(folder)
        self.failed = ""  # the name of the resource
        self._operation, self._left, self._partly = operation, at, partly
        self._lock = threading.Lock()

    def check(self, call: Call, old_inputs: Properties | None, inputs: Properties) -> Properties:
        self._maybe("check", call)
        return super().check(call, old_inputs, inputs)

    def diff(self, call: Call, old: Old, inputs: Properties) -> Diff:
        self._maybe("diff", call)
        return super().diff(call, old, inputs)

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        if not self._partly:
            self._maybe("create", call)
        id, outputs = super().create(call, inputs)
        try:
            self._maybe("create", call)
        except ProviderError as error:
            raise PartialFailure([str(error)], id, outputs) from None
        return id, outputs

    def read(self, call: Call, old: Old) -> Old | None:
        self._maybe("read", call)
        return super().read(call, old)

    def update(self, call: Call, old: Old, inputs: Properties) -> Properties:
        self._maybe("update", call)
        return super().update(call, old, inputs)

    def delete(self, call: Call, old: Old) -> None:
        self._maybe("delete", call)
        super().delete(call, old)

    def _maybe(self, operation: str, call: Call) -> None:
        with self._lock:
            if operation != self._operation or self.failed:
                return
            self._left -= 1
            if self._left == 0:
                self.failed = call.name
                raise ProviderError(f"injected into {operation}")


def made(folder: Path, version: Version) -> Path:
    folder.mkdir()
    assert runs.run(folder, version, Cloud(folder / "cloud")).code == 0
    return folder


def undisturbed(folder: Path, first: Version, second: Version) -> tuple[Any, Mapping[str, Any]]:
    made(folder, first)
    cloud = Cloud(folder / "cloud")
    assert runs.run(folder, second, cloud, refresh=True).code == 0
    return runs.normal(runs.snapshot(folder)), cloud.things()


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_call_may_fail_once(tmp_path: Path, seed: int, operation: str) -> None:
    first, second = versions(seed)
    expected = undisturbed(tmp_path / "whole", first, second)
    before = made(tmp_path / "before", first)
    points = 0
    while True:
        folder = tmp_path / f"{operation}-{points}"
        shutil.copytree(before, folder)
        cloud = Failing(folder / "cloud", operation, points + 1)
        cloud.forget_calls()
        ended = runs.run(folder, second, cloud, refresh=True, parallel=1)
        if not cloud.failed:
            break
        points += 1
        where = f"{operation} number {points}, of {cloud.failed}: {ended.text}"
        assert ended.code != 0, where
        assert f"injected into {operation}" in ended.text, where
        assert cloud.failed in ended.text, where
        if operation != "delete":  # nothing is deleted at the end of a run that failed; before a replacement it may be
            assert not _deletes_at_the_end(cloud, second), where
        state = runs.snapshot(folder)
        assert state.pending == (), f"{where}: the failure was told, so that nothing is in doubt"
        again = Cloud(folder / "cloud")
        assert runs.run(folder, second, again, refresh=True).code == 0, where
        assert (runs.normal(runs.snapshot(folder)), again.things()) == expected, where
    assert ended.code == 0, ended.text
    assert points > 0, f"no call of {operation} was made"


def test_what_was_made_and_failed_afterwards_is_recorded_with_its_failure(tmp_path: Path) -> None:
    first, second = versions(SEEDS[0])
    expected = undisturbed(tmp_path / "whole", first, second)
    points = 0
    while True:
        folder = made(tmp_path / f"partly-{points}", first)
        cloud = Failing(folder / "cloud", "create", points + 1, partly=True)
        ended = runs.run(folder, second, cloud, parallel=1)
        if not cloud.failed:
            break
        points += 1
        assert ended.code != 0
        entry = next(e for e in runs.snapshot(folder).resources if e.name == cloud.failed and not e.delete)
        assert entry.init_errors == ("injected into create",)
        assert entry.id in cloud.things()
        again = Cloud(folder / "cloud")
        done = runs.run(folder, second, again)
        assert done.code == 0, done.text
        assert f"update {cloud.failed}" in again.calls(), "what is not ready is tried again, though nothing differs"
        assert (runs.normal(runs.snapshot(folder)), again.things()) == expected
    assert points > 0


def _deletes_at_the_end(cloud: Cloud, version: Version) -> list[str]:
    wanted = {node.name for node in version} | {node.formerly for node in version}
    return [call for call in cloud.calls() if call.startswith("delete ") and call.split()[1] not in wanted]
