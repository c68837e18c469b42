"""Docker Compose 2: the one that this machine has, or one that is built from its Go module."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError

MODULE = "github.com/docker/compose/v2"


@dataclass(frozen=True)
class Release:
    """A version of the module, the oldest Go that builds it (its go.mod says so), and its hash in sum.golang.org."""

    version: str
    go: tuple[int, int, int]
    hash: str


RELEASES = (
    Release("v2.40.3", (1, 24, 9), "h1:XeYkQu1svDtyfZPv5nTwFryQ25ZJMkIlc4pz9HalMPI="),
    Release("v2.35.1", (1, 23, 8), "h1:oRt5EE22een6DEAkNNQcuzJGhBS2rcMtEKdbfMhFIgk="),
)


def find(say: Callable[[str], None]) -> tuple[str, ...]:
    """The command. Raises BenchError where there is none, and no Go to build one with."""
    for command in (("docker", "compose"), ("docker-compose",)):
        if _major(command) >= 2:  # Compose 1 has no --wait
            return command
    release = choose(_go_version(), RELEASES)
    binary = _cache() / f"docker-compose-{release.version}"
    if not binary.exists():
        say(f"Building Docker Compose {release.version} from its Go module (minutes, once): {binary}")
        _build(release, binary)
    return (str(binary),)


def choose(go: tuple[int, int, int] | None, releases: Iterable[Release]) -> Release:
    """The newest release that `go` builds. Raises BenchError that says what to install."""
    known = list(releases)
    for release in known:
        if go is not None and go >= release.go:
            return release
    oldest = ".".join(map(str, known[-1].go))
    have = f"Go {'.'.join(map(str, go))} is too old" if go else "there is no Go"
    raise BenchError(
        f"Docker Compose 2 is not on this machine, and {have} to build it with. Install Compose (Debian 13 calls it"
        f" `docker-compose`), or Go {oldest} or newer (Debian 13 calls it `golang-go`)."
    )


def parse_version(text: str) -> tuple[int, int, int] | None:
    """The first version in `text`, such as `go version go1.24.9 linux/amd64`; None if there is none."""
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def _major(command: tuple[str, ...]) -> int:
    version = parse_version(_output([*command, "version", "--short"]))
    return version[0] if version else 0


def _go_version() -> tuple[int, int, int] | None:
    return parse_version(_output(["go", "version"]))


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, env=_environment()).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def _environment(**more: str) -> dict[str, str]:
    # The Go that is here builds it, or says that it is too old: no other one is fetched.
    return {**os.environ, "GOTOOLCHAIN": "local", **more}


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "strata" / "bench"


def _build(release: Release, binary: Path) -> None:
    """Modules and compiled packages go into a folder that is removed again: they are a gigabyte."""
    binary.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=binary.parent, prefix="build-") as folder:
        flags = f"{os.environ.get('GOFLAGS', '')} -modcacherw".strip()
        places = {"GOPATH": f"{folder}/go", "GOMODCACHE": f"{folder}/modules", "GOCACHE": f"{folder}/cache"}
        environment = _environment(GOFLAGS=flags, CGO_ENABLED="0", **places)
        found = json.loads(
            _go(["mod", "download", "-json", f"{MODULE}@{release.version}"], binary.parent, environment) or "{}"
        )
        if found.get("Sum") != release.hash:
            raise BenchError(f"{MODULE} {release.version} is not the module whose hash is pinned: {found.get('Sum')}")
        made = Path(folder) / "docker-compose"
        version = f"-s -w -X {MODULE}/internal.Version={release.version}"
        # In the module's own folder: `go install` refuses a module that excludes others.
        build = ["build", "-mod=readonly", "-trimpath", "-ldflags", version, "-o", str(made), "./cmd"]
        _go(build, Path(found["Dir"]), environment)
        shutil.move(made, binary)


def _go(arguments: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(["go", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"`go {arguments[0]}` of {MODULE} failed:\n{done.stderr.strip()[-2000:]}")
    return done.stdout
