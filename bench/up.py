"""How long `strata up` takes, against `docker compose up --wait` with the same containers."""

from collections.abc import Callable, Iterator

from bench.compose import Compose
from bench.measure import in_turns, seconds
from bench.stack import Stack
from bench.table import Goal, Row

COLD = Goal(limit=1.0, direction="at most", of="ratio")
NO_CHANGE = Goal(limit=1.5, direction="less than", of="value")
_OURS, _ENGINE, _THEIRS = "ours", "engine", "theirs"


def rows(stack: Stack, compose: Compose | None, rounds: int, say: Callable[[str], None]) -> Iterator[Row]:
    """Leaves ours up. Raises BenchError."""
    say(f"cold `up`, {rounds} rounds")
    yield from _rows("cold `up`, to smoke-ready", COLD, _cold(stack, compose), rounds)
    stack.up()
    if compose:
        compose.up()
    say(f"`up` without changes, {rounds} rounds")
    yield from _rows("`up` without changes", NO_CHANGE, _no_change(stack, compose), rounds, warm_up=1)
    if compose:
        compose.down()  # its health checks would go on in what is measured next


def _rows(
    name: str, goal: Goal, contestants: dict[str, Callable[[], float]], rounds: int, *, warm_up: int = 0
) -> Iterator[Row]:
    taken = in_turns(contestants, rounds, warm_up=warm_up)
    theirs = taken.get(_THEIRS)
    yield Row(name=name, unit="s", ours=taken[_OURS], theirs=theirs, goal=goal)
    yield Row(name="  without its smoke tests", unit="s", ours=taken[_ENGINE], theirs=theirs)


def _cold(stack: Stack, compose: Compose | None) -> dict[str, Callable[[], float]]:
    """Images are there; containers, volumes, networks and, for us, state and secrets are not."""

    def strata(*arguments: str) -> float:
        stack.remove()
        taken = seconds(lambda: stack.up(*arguments))
        stack.remove()
        return taken

    def composed(compose: Compose) -> float:
        taken = seconds(compose.up)
        compose.down()
        return taken

    return _contestants(strata, compose, composed)


def _no_change(stack: Stack, compose: Compose | None) -> dict[str, Callable[[], float]]:
    return _contestants(
        lambda *arguments: seconds(lambda: stack.up("--expect-no-changes", *arguments)),
        compose,
        lambda compose: seconds(compose.up),
    )


def _contestants(
    strata: Callable[..., float], compose: Compose | None, composed: Callable[[Compose], float]
) -> dict[str, Callable[[], float]]:
    found: dict[str, Callable[[], float]] = {_OURS: strata, _ENGINE: lambda: strata("--skip-smoke")}
    if compose:
        found[_THEIRS] = lambda: composed(compose)
    return found
