"""How the embedded engine grows with its program, beside the official CLI where that is on PATH with its plugins."""

import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError
from bench.measure import Series
from bench.memory import MB, watch
from bench.table import Goal, Row

SIZES = (50, 500, 3000)
EXPONENT = Goal(limit=1.1, direction="at most", of="value")
PREVIEW = Goal(limit=10, direction="less than", of="value")
MEMORY = Goal(limit=400, direction="less than", of="value")
FIRST = Goal(limit=0.6, direction="less than", of="value")
AT_ONCE = Goal(limit=2, direction="less than", of="value")
SLOW = 64
_ROOT = Path(__file__).parents[1]
_LIMIT = 900  # seconds for any one command
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
    ours: dict[str, list[Series]] = {name: [] for name in ("up", "preview", "unchanged")}
    for size in sizes:
        say(f"engine, {size} resources, {rounds} rounds")
        with tempfile.TemporaryDirectory(prefix="strata-bench-engine-") as name:
            mine = _stack(Path(name) / "ours")
            runs = {"up": [embedded(mine, "up", size)], "preview": [], "unchanged": []}
            theirs: dict[str, list[Run]] = {"up": [], "preview": [], "unchanged": []}
            if official:
                other = _stack(Path(name) / "theirs")
                _pulumi(other, "stack", "init", "bench", size=size)
                theirs["up"].append(cli(other, "up", size))
            for number in range(rounds):
                for command, verb in (("preview", "preview"), ("unchanged", "up")):
                    turns = [lambda: runs[command].append(embedded(mine, verb, size))]  # noqa: B023 - called below
                    if official:
                        turns.append(lambda: theirs[command].append(cli(other, verb, size)))  # noqa: B023
                    for turn in turns if number % 2 else reversed(turns):
                        turn()
            for command, goal in (
                ("up", None),
                ("preview", PREVIEW if size == max(SIZES) else None),
                ("unchanged", None),
            ):
                series = Series(tuple(run.seconds for run in runs[command]))
                ours[command].append(series)
                beside = Series(tuple(run.seconds for run in theirs[command])) if theirs[command] else None
                title = {"up": "first `up`", "preview": "preview without changes", "unchanged": "`up` without changes"}
                yield Row(name=f"{title[command]}, {size} resources", unit="s", ours=series, theirs=beside, goal=goal)
            again = runs["preview"] + runs["unchanged"]
            peak = Series(tuple(run.engine / MB for run in again))
            goal = MEMORY if size == max(SIZES) else None
            yield Row(name=f"engine's RSS, {size} resources", unit="MB", ours=peak, goal=goal)
            if size == min(sizes):
                yield Row(
                    name="start to first registration", unit="s", ours=Series(tuple(r.first for r in again)), goal=FIRST
                )
    if len(sizes) > 1:
        for command, title in (("up", "first `up`"), ("preview", "preview"), ("unchanged", "`up`")):
            grown = exponent(sizes, [series.median for series in ours[command]])
            yield Row(name=f"growth exponent, {title}", unit="", ours=Series((grown,)), goal=EXPONENT)
    yield from _at_once(rounds, say)


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The slope of the line that fits best where both axes are logarithmic: 1 is linear, 2 is quadratic."""
    xs, ys = [math.log(size) for size in sizes], [math.log(value) for value in seconds]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


def embedded(folder: Path, command: str, size: int, *, slow: bool = False) -> Run:
    """One command of ours. Raises BenchError."""
    (folder / "first").unlink(missing_ok=True)
    arguments = [sys.executable, "-m", "bench.engine_run", command, str(folder), *([str(SLOW)] if slow else [])]
    begun = time.perf_counter()
    process = subprocess.Popen(arguments, cwd=_ROOT, env=_environment(size, slow), stderr=subprocess.PIPE, text=True)
    peak = watch(process)
    seconds = time.perf_counter() - begun
    _, errors = process.communicate()
    if process.returncode:
        raise BenchError(f"{command} of {size} resources failed: {errors[-2000:]}")
    return Run(seconds, peak.engine, float((folder / "first").read_text()))


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
    environment = {
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
