"""How much memory `strata up` takes: its own process, in which the engine is, and all processes together."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.measure import Series
from bench.stack import Stack, finish
from bench.table import Goal, Row

GOAL = Goal(limit=200, direction="less than", of="value")
_POLL = 0.02  # seconds
MB = 1_000_000


@dataclass
class Peak:
    """Bytes. `tree` adds what each process has resident, so that memory they share counts several times."""

    engine: int = 0
    tree: int = 0


def rows(stack: Stack, rounds: int, say: Callable[[str], None]) -> Iterator[Row]:
    """Leaves the stack up. Raises BenchError."""
    say(f"memory, {rounds} rounds")
    first: list[Peak] = []
    for _ in range(rounds):
        stack.remove()
        first.append(_watched(stack))
    again = [_watched(stack) for _ in range(rounds)]
    for name, peaks in (("cold `up`", first), ("`up` without changes", again)):
        engine = Series(tuple(peak.engine / MB for peak in peaks))
        yield Row(name=f"engine's RSS, {name}", unit="MB", ours=engine, goal=GOAL)
        yield Row(name="  with all its processes", unit="MB", ours=Series(tuple(p.tree / MB for p in peaks)))


def _watched(stack: Stack) -> Peak:
    process = stack.start(*stack.up_command)
    peak = watch(process)
    finish(process)
    return peak


def watch(process: subprocess.Popen[str]) -> Peak:
    """Looks at the process and its children until it ends. It must print less than a pipe holds."""
    peak = Peak()
    while process.poll() is None:
        with suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
            peak.engine = max(peak.engine, _high_water(process.pid))
            peak.tree = max(peak.tree, sum(_resident(psutil.Process(process.pid))))
        time.sleep(_POLL)
    return peak


def _high_water(pid: int) -> int:
    """The most that a process ever had resident, as the kernel keeps it."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    kilobytes = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")), "0")
    return int(kilobytes) * 1024


def _resident(process: psutil.Process) -> Iterator[int]:
    for each in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            yield each.memory_info().rss
