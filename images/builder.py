"""Builds the local images, and says which are there.

Each step's result is kept as a tar in the cache, under a key that covers the step and all before it. An interrupted
build so resumes at the step that was not finished. The last tar becomes the image's only layer.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from images import archive, chroot, recipes
from images.chroot import Progress
from images.errors import ImageError
from images.recipes import LABEL, Recipe, Step

if TYPE_CHECKING:
    from images.daemon import Daemon

NEEDED_BYTES = 4 * 1024**3
"""Free disk for one build: a root of 700 MB, 2.2 GB more while Go compiles, the tars of all steps, the image."""


@dataclass(frozen=True, kw_only=True)
class LocalImage:
    """An image as recipes.yaml wants it (`wanted`), or one that an older recipe left behind."""

    name: str
    image: str
    wanted: bool
    size: int | None
    """Bytes; None when it is not built."""


def build(names: Iterable[str], progress: Progress, *, docker_host: str | None = None) -> list[str]:
    """Builds those of the images `names` that are not there, and returns the full names of all.

    Costs one question to Docker per image when all are there. `docker_host`: a Docker address, None for the
    environment's. Raises ImageError when Docker does not answer, or this host can't build.
    """
    from images.daemon import connect

    wanted = {name: recipes.find(name) for name in names}
    with connect(docker_host) as daemon:
        for name in _missing(daemon, wanted):
            chroot.check_host()
            with _only_builder(progress):
                if name in _missing(daemon, wanted):
                    _build(daemon, name, wanted[name], progress)
    return [recipes.local_name(name, recipe.version) for name, recipe in wanted.items()]


def missing(names: Iterable[str], *, docker_host: str | None = None) -> list[str]:
    """Those of the images `names` that `build` would have to build. Raises ImageError when Docker does not answer."""
    from images.daemon import connect

    with connect(docker_host) as daemon:
        return _missing(daemon, {name: recipes.find(name) for name in names})


def list_images(*, docker_host: str | None = None) -> list[LocalImage]:
    """Every image of recipes.yaml, built or not, and what older recipes left behind in Docker."""
    from images.daemon import connect

    wanted = {recipes.local_name(name, recipe.version): name for name, recipe in recipes.load().items()}
    with connect(docker_host) as daemon:
        built = daemon.labelled(LABEL)
    absent = {image: (name, None) for image, name in wanted.items() if image not in built}
    return [
        LocalImage(name=name, image=image, wanted=image in wanted, size=size)
        for image, (name, size) in sorted({**built, **absent}.items())
    ]


def cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "strata" / "images"


def _missing(daemon: "Daemon", wanted: dict[str, Recipe]) -> list[str]:
    return [name for name, recipe in wanted.items() if not daemon.has(recipes.local_name(name, recipe.version))]


def _build(daemon: "Daemon", name: str, recipe: Recipe, progress: Progress) -> None:
    image = recipes.local_name(name, recipe.version)
    progress(f"{image}: building")
    started = time.monotonic()
    cache = cache_folder()
    _check_space(cache)
    layer = _last_result(recipe, cache, progress)
    with tempfile.NamedTemporaryFile(prefix="image-", suffix=".tmp", dir=cache) as file:
        archive.write(Path(file.name), layer, image, recipe.config, {LABEL: name})
        daemon.load(Path(file.name))
    _drop_unused(cache)
    progress(f"{image}: {daemon.size(image) / 1e6:.0f} MB, built in {time.monotonic() - started:.0f} s")


def debian_root(suite: str, root: Path, log: Path, progress: Progress) -> None:
    """Makes in `root` the Debian that every build starts from, for a build whose result is no image of Docker.

    Raises ImageError.
    """
    cache = cache_folder()
    steps = recipes.debian(suite)
    if not (cache / f"{steps[-1].key}.tar").is_file():
        _check_space(cache)
    with _only_builder(progress):
        tar = _result(steps, suite, cache, progress)
    chroot.unpack(tar, root, log, progress)


def _last_result(recipe: Recipe, cache: Path, progress: Progress) -> Path:
    return _result(recipes.steps(recipe), recipe.suite, cache, progress)


def _result(steps: list[Step], suite: str, cache: Path, progress: Progress) -> Path:
    """The tar of the last step, after carrying out those steps whose result the cache does not have."""
    tars = [cache / f"{step.key}.tar" for step in steps]
    done = max((index for index, tar in enumerate(tars) if tar.is_file()), default=-1)
    if done == len(steps) - 1:
        return tars[-1]
    mirrors = chroot.host_mirrors()
    log = cache / "build.log"
    log.write_text("")
    with _scratch(cache) as scratch:
        root = scratch / "root"
        if done >= 0:
            progress(f"  {', '.join(step.name for step in steps[: done + 1])}: from the cache")
            chroot.unpack(tars[done], root, log, progress)
        for step, tar in list(zip(steps, tars, strict=True))[done + 1 :]:
            with _timed(step, progress):
                if step.folder is None:
                    chroot.bootstrap(root, suite, mirrors, log, progress)
                else:
                    chroot.run_stage(root, step.folder, step.sources, suite, mirrors, log, progress)
                chroot.pack(root, tar, log, progress)
    return tars[-1]


def _drop_unused(cache: Path) -> None:
    """Keeps the last result of each recipe, those that recipes share, and what a recipe wants kept."""
    chains = [(recipe, recipes.steps(recipe)) for recipe in recipes.load().values()]
    uses = Counter(step.key for _, chain in chains for step in chain)
    keep = {chain[-1].key for _, chain in chains} | {key for key, count in uses.items() if count > 1}
    keep |= {step.key for recipe, chain in chains for step in chain if step.name in recipe.keep}
    for tar in cache.glob("*.tar"):
        if tar.stem not in keep:
            tar.unlink()


def _check_space(cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(cache).free
    if free < NEEDED_BYTES:
        raise ImageError(
            f"building an image needs {NEEDED_BYTES / 1e9:.1f} GB free in {cache}, there are {free / 1e9:.1f} GB: "
            "free some, or set XDG_CACHE_HOME to a larger disk"
        )


@contextmanager
def _only_builder(progress: Progress) -> Iterator[None]:
    """Waits for another build on this host. The lock goes with the process, so a killed build leaves none behind."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            progress(f"waiting for another build (process {lock.read().strip() or 'unknown'})")
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


@contextmanager
def _scratch(cache: Path) -> Iterator[Path]:
    """A folder for one build; what killed builds left behind goes first."""
    for leftover in (*cache.glob("*.tmp"), *cache.glob("*.partial")):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()
    with tempfile.TemporaryDirectory(prefix="build-", suffix=".tmp", dir=cache) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def _timed(step: Step, progress: Progress) -> Iterator[None]:
    progress(f"  {step.name} …")
    started = time.monotonic()
    yield
    progress(f"  {step.name}: {time.monotonic() - started:.1f} s")
