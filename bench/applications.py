"""How `strata up` grows with the number of applications."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.measure import Series, exponent, seconds
from bench.memory import MB, watch
from bench.stack import Stack, finish
from bench.table import Goal, Row

COUNTS = (1, 5, 50, 200)
EXPONENT = Goal(limit=1.1, direction="at most", of="value")
FIRST = Goal(limit=180, direction="less than", of="value")
PREVIEW = Goal(limit=10, direction="less than", of="value")

# One slice of each backend: 22 resources for each application.
_CLAIM = """
name: {name}
description: One of many
postgres: {{connection_limit: 2}}
redis: {{mode: shared, prefix: "{name}:"}}
qdrant: {{collections: {{{name}_documents: {{vector: {{size: 8}}}}}}}}
object_store: {{buckets: {{files: {{}}}}}}
config: {{DATABASE: "{{{{ postgres.database }}}}"}}
"""


def claims(count: int) -> dict[str, str]:
    names = [f"app{number:03}" for number in range(count)]
    return {name: _CLAIM.format(name=name) for name in names}


def rows(rounds: int, say: Callable[[str], None], counts: Sequence[int] = COUNTS) -> Iterator[Row]:
    """Stacks of their own, one after the other, without smoke tests. Raises BenchError."""
    firsts, previews = [], []
    for count in counts:
        say(f"{count} applications: a first `up`, then {rounds} previews")
        with tempfile.TemporaryDirectory(prefix="strata-bench-") as name:
            stack = Stack.make(Path(name) / "checkout", claims(count))
            try:
                first, peak = _first(stack)
                again = [seconds(lambda: finish(stack.start("preview", "--engine", "embedded"))) for _ in range(rounds)]  # noqa: B023
            finally:
                stack.remove()
        firsts.append(first)
        previews.append(Series(tuple(again)))
        most = count == max(COUNTS)
        yield Row(
            name=f"first `up`, {count} applications", unit="s", ours=Series((first,)), goal=FIRST if most else None
        )
        yield Row(name="  engine's RSS", unit="MB", ours=Series((peak,)))
        goal = PREVIEW if most else None
        yield Row(name="  preview without changes", unit="s", ours=previews[-1], goal=goal)
    if len(counts) > 1:
        for title, taken in (("first `up`", firsts), ("preview", [series.median for series in previews])):
            grown = Series((exponent(counts, taken),))
            yield Row(name=f"growth exponent with applications, {title}", unit="", ours=grown, goal=EXPONENT)


def _first(stack: Stack) -> tuple[float, float]:
    """Seconds, and the engine's peak in MB."""
    peaks = []

    def up() -> None:
        process = stack.start(*stack.up_command, "--skip-smoke")
        with ThreadPoolExecutor(1) as pool:
            finished = pool.submit(finish, process)  # reads what it prints, which is more than a pipe holds
            peaks.append(watch(process).engine / MB)
            finished.result()

    return seconds(up), peaks[0]
