"""`make bench`, or `python -m bench`: measures, prints the table, removes what it made. Missed goals are no failure."""

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from bench import (
    applications,
    compose_binary,
    daemon,
    engine,
    machine,
    memory,
    policies,
    postgres,
    redis,
    table,
    up,
    vectors,
)
from bench.compose import Compose
from bench.errors import BenchError
from bench.measure import LEAST_ROUNDS
from bench.stack import Stack
from bench.table import Row

LOADS: dict[str, Callable[..., Iterator[Row]]] = {
    "postgres": postgres.rows,
    "redis": redis.rows,
    "vectors": vectors.rows,
}
GROUPS = ("engine", "policies", "applications", "up", "memory", *LOADS)


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, _interrupt)
    before = machine.load()
    rows: list[Row] = []
    problems: list[str] = []
    try:
        with _stack() as stack:
            for group in options.only or GROUPS:
                try:
                    rows.extend(_measure(group, stack, options))
                except BenchError as error:  # the other groups can still be measured
                    problems.append(f"{group} was not measured: {error}")
                    _say(problems[-1])
    except KeyboardInterrupt:
        _say("interrupted; what was made is removed")
        return 130
    facts = {**machine.facts(), "load_before": before, "load_after": machine.load(), "rounds": options.rounds}
    _print(machine.title(facts), table.render(rows), table.verdict(rows), *problems)
    if options.json:
        document = {**facts, "rows": table.document(rows), "problems": problems}
        options.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return 1 if problems else 0


def _measure(group: str, stack: Stack, options: argparse.Namespace) -> Iterator[Row]:
    rounds, duration = options.rounds, options.seconds
    if group == "engine":
        yield from engine.rows(rounds, _say)
    elif group == "policies":
        yield from policies.rows(stack, rounds)
    elif group == "applications":
        yield from applications.rows(rounds, _say)
    elif group == "up":
        try:
            compose = Compose.make(stack, compose_binary.find(_say))
        except BenchError as error:
            _say(f"without Docker Compose: {error}")
            compose = None
        yield from up.rows(stack, compose, rounds, _say)
    elif group == "memory":
        yield from memory.rows(stack, rounds, _say)
    else:
        stack.up()
        yield from LOADS[group](stack, rounds, duration, _say)


@contextmanager
def _stack() -> Iterator[Stack]:
    """Removed at the end, however that comes."""
    with tempfile.TemporaryDirectory(prefix="strata-bench-") as folder:
        stack = Stack.make(Path(folder) / "checkout")
        try:
            yield stack
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C would leave half of it
            _say("removing what was made")
            stack.remove()
            for label in (f"com.docker.compose.project={stack.name}-compose", f"{daemon.LABEL}={stack.name}"):
                daemon.remove(label)
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=LEAST_ROUNDS, help="of each measurement (%(default)s)")
    parser.add_argument("--seconds", type=int, default=15, help="of one run of a load (%(default)s)")
    parser.add_argument("--only", action="append", choices=GROUPS, help="measure this, and not all; repeatable")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured there")
    return parser.parse_args()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)  # noqa: T201 - this is the terminal's side


def _print(*texts: str) -> None:
    print(*texts, sep="\n\n", flush=True)  # noqa: T201 - this is the terminal's side


if __name__ == "__main__":
    os.environ.pop("COMPOSE_PROJECT_NAME", None)
    sys.exit(main())
