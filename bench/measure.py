"""Medians of what is measured in turns."""

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

LEAST_ROUNDS = 5  # fewer have no median worth printing


@dataclass(frozen=True)
class Series:
    """What one contestant did in each round."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def least(self) -> float:
        return min(self.values)

    @property
    def most(self) -> float:
        return max(self.values)


def in_turns(contestants: Mapping[str, Callable[[], float]], rounds: int, *, warm_up: int = 0) -> dict[str, Series]:
    """Each round measures every contestant once, so that what else the machine does meets all of them.

    Every round begins with another one: whoever comes second finds the caches of the first. What the `warm_up` rounds
    before them give is thrown away.
    """
    names = list(contestants)
    taken: dict[str, list[float]] = {name: [] for name in names}
    for number in range(warm_up + rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            value = contestants[name]()
            if number >= warm_up:
                taken[name].append(value)
    return {name: Series(tuple(values)) for name, values in taken.items()}


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The slope of the line that fits best where both axes are logarithmic: 1 is linear, 2 is quadratic."""
    xs, ys = [math.log(size) for size in sizes], [math.log(value) for value in seconds]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)
