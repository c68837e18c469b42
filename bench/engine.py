"""How the embedded engine grows with its program, beside the official CLI where that is on PATH with its plugins."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.errors import BenchError
from bench.measure import Series, exponent
from bench.memory import MB
from bench.table import Goal, Row

SIZES = (50, 500, 3000)
# Beyond this the CLI is not measured: it saves all of its state at each step, and took more than 15 minutes for 3000.
OFFICIAL = 500
EXPONENT = Goal(limit=1.1, direction="at most", of="value")
PREVIEW = Goal(limit=10, direction="less than", of="value")
MEMORY = Goal(limit=400, direction="less than", of="value")
FIRST = Goal(limit=0.6, direction="less than", of="value")
AT_ONCE = Goal(limit=2, direction="less than", of="value")
SLOW = 64
_ROOT = Path(__file__).parents[1]
_LIMIT = 900  # seconds for any one command
TITLES = ("first `up`", "preview without changes", "`up` without changes")
_PLUGINS = ("pulumi", "pulumi-language-python", "pulumi-resource-random", "pulumi-resource-pulumi-python")


@dataclass(frozen=True)
class Run:
    """Seconds, and the engine's peak in bytes."""

    seconds: float
    engine: int
    first: float  # seconds until the first registration; 0 for the CLI


def rows(rounds: int, say: Callable[[str], None], sizes: Sequence[int] = SIZES) -> Iterator[Row]:
    """Makes and removes stacks of its own; needs no Docker. Raises BenchError."""
    official = all(shutil.which(name) for name in _PLUGINS)
    if not official:
        say(f"without the official CLI: {', '.join(n for n in _PLUGINS if not shutil.which(n))} not on PATH")
    medians: dict[str, list[float]] = {title: [] for title in TITLES}
    for size in sizes:
        say(f"engine, {size} resources, {rounds} rounds")
        with tempfile.TemporaryDirectory(prefix="strata-bench-engine-") as name:
            taken = _measured(Path(name), size, rounds, official=official and size <= OFFICIAL)
        largest = size == max(SIZES)
        for title in TITLES:
            ours, theirs = taken.ours[title], taken.theirs[title]
            medians[title].append(_series(ours).median)
            goal = PREVIEW if largest and title == TITLES[1] else None
            beside = _series(theirs) if theirs else None
            yield Row(name=f"{title}, {size} resources", unit="s", ours=_series(ours), theirs=beside, goal=goal)
        again = [run for title in TITLES[1:] for run in taken.ours[title]]
        peak = Series(tuple(run.engine / MB for run in again))
        yield Row(name=f"engine's RSS, {size} resources", unit="MB", ours=peak, goal=MEMORY if largest else None)
        if size == min(sizes):
            first = Series(tuple(run.first for run in again))
            yield Row(name="start to first registration", unit="s", ours=first, goal=FIRST)
    if len(sizes) > 1:
        for title in TITLES:
            grown = Series((exponent(sizes, medians[title]),))
            yield Row(name=f"growth exponent, {title}", unit="", ours=grown, goal=EXPONENT)
    yield from _at_once(rounds, say)


@dataclass
class Taken:
    """Runs by title."""

    ours: dict[str, list[Run]] = field(default_factory=lambda: {title: [] for title in TITLES})
    theirs: dict[str, list[Run]] = field(default_factory=lambda: {title: [] for title in TITLES})


def _measured(folder: Path, size: int, rounds: int, *, official: bool) -> Taken:
    """Both in turns, and every round begins with another one. A first `up` is made once."""
    taken, mine = Taken(), _stack(folder / "ours")
    taken.ours[TITLES[0]].append(embedded(mine, "up", size))
    if official:
        other = _stack(folder / "theirs")
        _pulumi(other, "stack", "init", "bench", size=size)
        taken.theirs[TITLES[0]].append(cli(other, "up", size))
    for number in range(rounds):
        for title, command in zip(TITLES[1:], ("preview", "up"), strict=True):
            for who in ("ours", "theirs") if number % 2 else ("theirs", "ours"):
                if who == "ours":
                    taken.ours[title].append(embedded(mine, command, size))
                elif official:
                    taken.theirs[title].append(cli(other, command, size))
    return taken


def _series(runs: Sequence[Run]) -> Series:
    return Series(tuple(run.seconds for run in runs))


def embedded(folder: Path, command: str, size: int, *, slow: bool = False) -> Run:
    """One command of ours. Raises BenchError."""
    arguments = [sys.executable, "-m", "bench.engine_run", command, str(folder)]
    arguments += [str(time.time()), *([str(SLOW)] if slow else [])]
    done = subprocess.run(
        arguments, cwd=_ROOT, env=_environment(size, slow), capture_output=True, text=True, timeout=_LIMIT
    )
    if done.returncode:
        raise BenchError(f"{command} of {size} resources failed: {done.stderr[-2000:]}")
    taken = json.loads((folder / "taken.json").read_text(encoding="utf-8"))
    return Run(taken["seconds"], taken["peak"], taken["first"])


def cli(folder: Path, command: str, size: int) -> Run:
    """The same of the official CLI. Raises BenchError."""
    begun = time.perf_counter()
    _pulumi(folder, command, *(["--yes", "--skip-preview"] if command == "up" else []), size=size)
    return Run(time.perf_counter() - begun, 0, 0)


def _at_once(rounds: int, say: Callable[[str], None]) -> Iterator[Row]:
    say(f"{SLOW} creations of a second each, at once")
    taken = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="strata-bench-engine-") as name:
            taken.append(embedded(_stack(Path(name) / "ours"), "up", SLOW, slow=True).seconds)
    yield Row(name=f"{SLOW} creations of 1 s, --parallel {SLOW}", unit="s", ours=Series(tuple(taken)), goal=AT_ONCE)


def _stack(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "state").mkdir()
    interpreter = Path(sys.prefix)
    (folder / "Pulumi.yaml").write_text(
        f"name: bench\nruntime:\n  name: python\n  options:\n    virtualenv: {interpreter}\n", encoding="utf-8"
    )
    shutil.copy(Path(__file__).with_name("engine_program.py"), folder / "__main__.py")
    return folder


def _environment(size: int, slow: bool = False) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "PYTHONDONT"))}
    return {**kept, "BENCH_SLOW" if slow else "BENCH_SIZE": str(size)}


def _pulumi(folder: Path, *arguments: str, size: int) -> None:
    environment: dict[str, str] = {
        **_environment(size),
        "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "bench",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    command = ["pulumi", *arguments, "--non-interactive", *([] if arguments[0] == "stack" else ["--stack", "bench"])]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_LIMIT)
    if done.returncode:
        raise BenchError(f"pulumi {' '.join(arguments)} failed: {(done.stdout + done.stderr)[-2000:]}")
