"""The programs and images of a cluster: built once, under a key that covers all that decides their content.

They are compiled in a Debian root of their own. A build that is cut off goes on where it was: the root stays.
"""

import fcntl
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from images import archive, builder, chroot, recipes
from images.chroot import Progress
from images.errors import ImageError
from tests.cluster.errors import ClusterError
from tests.cluster.home import Home
from tests.cluster.processes import run

SUITE = "trixie"
FOLDER = Path(__file__).parent
SOURCES = (FOLDER / "go",)
STAGE = FOLDER / "stage"
NEEDED_BYTES = 12 * 1024**3
"""Free disk for a build: 6.4 GB of modules and compiled packages, 1 GB of programs, the root."""

PLUGINS = ("host-local", "loopback", "portmap", "ptp")
IMAGES = ("pause", "coredns", "agnhost")


@dataclass(frozen=True)
class Parts:
    folder: Path

    @property
    def key(self) -> str:
        return self.folder.name

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    def image(self, name: str) -> str:
        return f"localhost/strata-{name}:{self.key}"

    @property
    def archives(self) -> list[Path]:
        return [self.folder / f"{name}.tar" for name in IMAGES]


def find(home: Home) -> Parts:
    """The parts that these sources make, built or not."""
    return Parts(home.root / "parts" / recipes.digest_of(SUITE, (STAGE, *SOURCES)))


def build(home: Home, progress: Progress) -> Parts:
    """Builds the parts unless they are there. Raises ClusterError."""
    parts = find(home)
    if parts.folder.is_dir():
        return parts
    try:
        chroot.check_host()
        with _only_builder(home, progress):
            if not parts.folder.is_dir():
                _build(home, parts, progress)
    except ImageError as error:
        raise ClusterError(str(error)) from None
    for old in parts.folder.parent.iterdir():
        if old != parts.folder:
            shutil.rmtree(old)
    return parts


def _build(home: Home, parts: Parts, progress: Progress) -> None:
    folder = home.root / "build"
    free = shutil.disk_usage(home.root).free
    if free < NEEDED_BYTES and not folder.is_dir():
        raise ClusterError(
            f"building the cluster's programs needs {NEEDED_BYTES / 1e9:.0f} GB free in {home.root}, there are "
            f"{free / 1e9:.1f} GB: free some, or set XDG_CACHE_HOME to a larger disk"
        )
    root, log = folder / "root", folder / "build.log"
    progress("building Kubernetes' programs, once: minutes, and as many again as you have fewer than four cores")
    complete = folder / f"{recipes.debian(SUITE)[-1].key}.complete"
    if not complete.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        builder.debian_root(SUITE, root, log, progress)
        complete.touch()
    shutil.rmtree(root / chroot.WORKSHOP, ignore_errors=True)
    chroot.run_stage(root, STAGE, SOURCES, SUITE, chroot.host_mirrors(), log, progress)
    parts.folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="parts-", dir=folder) as scratch:
        partial = Path(scratch) / "parts"
        shutil.move(root / "out", partial)
        for name in IMAGES:
            _write_image(partial, parts, name)
        partial.rename(parts.folder)
    shutil.rmtree(folder)


def _write_image(built: Path, parts: Parts, name: str) -> None:
    with tempfile.NamedTemporaryFile(suffix=".tar", dir=built) as layer:
        with tarfile.open(layer.name, "w") as tar:
            tar.add(built / "bin" / name, name)
            if name == "agnhost":  # as in the official image, there is a shell for tests to use
                _add_userland(tar, built / "bin" / "busybox")
        config = {"Entrypoint": [f"/{name}"], "Env": ["PATH=/bin:/"]}
        archive.write(built / f"{name}.tar", Path(layer.name), parts.image(name), config, {})


def _add_userland(tar: tarfile.TarFile, busybox: Path) -> None:
    tar.add(busybox, "bin/busybox")
    for applet in run([busybox, "--list"]).split():
        if applet != "busybox":
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    tmp = tarfile.TarInfo("tmp")
    tmp.type, tmp.mode = tarfile.DIRTYPE, 0o1777
    tar.addfile(tmp)


@contextmanager
def _only_builder(home: Home, progress: Progress) -> Iterator[None]:
    home.root.mkdir(parents=True, exist_ok=True)
    with (home.root / "build.lock").open("a+") as lock:
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
