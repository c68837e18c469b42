"""Builds are resumed, exclusive and refused early. What a stage does inside its root is tested with Docker."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from images import ImageError, builder, chroot, recipes
from images.chroot import Mirrors, Progress


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = builder.cache_folder()
    folder.mkdir(parents=True)
    return folder


class Steps:
    """Stands for Debian and the stages: each leaves a file in the root. `fail_at` breaks off in the middle of one."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.fail_at = ""

    def bootstrap(self, root: Path, suite: str, mirrors: Mirrors, log: Path, progress: Progress) -> None:
        root.mkdir()
        self._step(root, suite)

    def run_stage(self, root: Path, folder: Path, *_: object) -> None:
        self._step(root, folder.name)

    def _step(self, root: Path, name: str) -> None:
        (root / name).write_text(name)
        if name == self.fail_at:
            raise KeyboardInterrupt
        self.done.append(name)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    steps = Steps()
    monkeypatch.setattr(chroot, "bootstrap", steps.bootstrap)
    monkeypatch.setattr(chroot, "run_stage", steps.run_stage)
    return steps


def content(tar: Path) -> set[str]:
    listing = subprocess.run(["tar", "-tf", str(tar)], capture_output=True, text=True, check=True).stdout
    return {name.removeprefix("./") for name in listing.split()} - {""}


def test_an_interrupted_build_goes_on_at_the_step_that_was_not_finished(cache: Path, steps: Steps) -> None:
    recipe = recipes.find("redis")
    steps.fail_at = "redis"
    with pytest.raises(KeyboardInterrupt):
        builder._last_result(recipe, cache, print)
    assert steps.done == ["trixie", "debian"]

    steps.fail_at, steps.done = "", []
    tar = builder._last_result(recipe, cache, print)

    assert steps.done == ["redis", "slim"], "half a minute of downloads would be repeated"
    assert content(tar) == {"trixie", "debian", "redis", "slim"}
    assert [path.name for path in cache.glob("*.tmp")] == [], "a broken build must not fill the disk"


def test_a_finished_build_is_not_repeated_and_its_root_serves_the_next_image(cache: Path, steps: Steps) -> None:
    builder._last_result(recipes.find("redis"), cache, print)
    steps.done = []
    builder._last_result(recipes.find("redis"), cache, print)
    assert steps.done == []
    builder._last_result(recipes.find("postgres"), cache, print)
    assert steps.done == ["postgres", "slim"]


def test_only_results_that_save_work_are_kept(cache: Path, steps: Steps) -> None:
    last = {builder._last_result(recipe, cache, print).stem for recipe in recipes.load().values()}
    (cache / "0123456789ab.tar").write_text("of an older recipe")
    builder._drop_unused(cache)
    kept = {path.stem for path in cache.glob("*.tar")}
    shared = {step.key for step in recipes.steps(recipes.find("redis"))[:2]}
    compiled = {step.key for step in recipes.steps(recipes.find("object_store")) if step.name == "minio"}
    assert compiled, "a changed entrypoint would compile MinIO again"
    assert kept == last | shared | compiled


def test_what_a_killed_build_left_behind_goes(cache: Path, steps: Steps) -> None:
    (cache / "build-killed.tmp" / "root").mkdir(parents=True)
    (cache / "0123456789ab.partial").write_text("half a tar")
    builder._last_result(recipes.find("redis"), cache, print)
    assert not [*cache.glob("*.tmp"), *cache.glob("*.partial")]


HOLDER = """
import sys
from images import builder
with builder._only_builder(print):
    print("holding", flush=True)
    sys.stdin.read()
"""


def test_a_second_build_waits_and_names_the_first(cache: Path) -> None:
    messages: list[str] = []
    entered = threading.Event()

    def second() -> None:
        with builder._only_builder(messages.append):
            entered.set()

    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdin
        assert first.stdout
        assert first.stdout.readline() == "holding\n"
        waiter = threading.Thread(target=second)
        waiter.start()
        assert not entered.wait(0.3), "two builds would write the same files"
        first.kill()  # the lock of a killed build must not outlive it
        assert entered.wait(10)
        waiter.join()
    assert messages == [f"waiting for another build (process {first.pid})"]


def test_a_full_disk_is_refused_before_anything_is_written(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "NEEDED_BYTES", 1 << 60)
    with pytest.raises(ImageError, match=r"GB free in .*XDG_CACHE_HOME"):
        builder._check_space(cache)


def test_a_user_without_root_is_told_the_two_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *args, **kwargs: "/usr/sbin/debootstrap")
    monkeypatch.setattr(chroot, "KEYRING", Path(__file__))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ImageError, match=r"sudo \.venv/bin/strata images build.*source: registry"):
        chroot.check_host()


def test_missing_tools_are_named_as_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda *args, **kwargs: None)
    monkeypatch.setattr(chroot, "KEYRING", tmp_path / "absent")
    with pytest.raises(ImageError, match="apt-get install debootstrap debian-archive-keyring util-linux"):
        chroot.check_host()


@pytest.mark.parametrize("call", ["build(['redis'], print)", "missing(['redis'])", "list_images()"])
def test_a_daemon_that_is_down_is_one_message(call: str, tmp_path: Path) -> None:
    # In a process of its own: docker-py leaks the socket of a failed connection, which would warn in a later test.
    program = f"import images\ntry: images.{call}\nexcept images.ImageError as error: print(error)"
    environment = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/docker.sock"}
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout.startswith("Docker does not answer at ")
    assert "start its daemon" in result.stdout
