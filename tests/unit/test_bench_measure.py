"""What is measured in turns, and how much memory a process takes."""

import math
import subprocess
import sys
from functools import partial

import pytest

from bench.measure import Series, exponent, in_turns
from bench.memory import MB, watch


def test_a_series_is_told_by_its_median_and_its_limits() -> None:
    series = Series((5.0, 1.0, 100.0, 3.0, 4.0))
    assert (series.median, series.least, series.most) == (4.0, 1.0, 100.0)
    assert Series((1.0, 2.0)).median == 1.5


def test_every_round_measures_all_and_begins_with_another_one() -> None:
    order: list[str] = []

    def measured(name: str) -> float:
        order.append(name)
        return float(len(order))

    taken = in_turns({name: partial(measured, name) for name in "abc"}, 3)
    assert "".join(order) == "abcbcacab", "whoever always comes second finds warm caches"
    assert taken["a"] == Series((1.0, 6.0, 8.0))


def test_rounds_to_warm_up_do_not_count() -> None:
    values = iter([100.0, 1.0, 2.0, 3.0])
    assert in_turns({"ours": lambda: next(values)}, 3, warm_up=1)["ours"] == Series((1.0, 2.0, 3.0))


def test_memory_is_that_of_the_process_and_of_its_children() -> None:
    child = "import time; held = b'x' * 150_000_000; time.sleep(0.5)"
    parent = f"import subprocess, sys; held = b'x' * 50_000_000; subprocess.run([sys.executable, '-c', {child!r}])"
    peak = watch(subprocess.Popen([sys.executable, "-c", parent], text=True))
    assert 50 < peak.engine / MB < 120, "the child's memory is not the engine's"
    assert peak.tree / MB > 200


SIZES = (50, 500, 3000)


@pytest.mark.parametrize(("power", "grown"), [(1.0, 1.0), (2.0, 2.0), (0.5, 0.5)])
def test_the_exponent_is_the_power_by_which_time_grows(power: float, grown: float) -> None:
    assert math.isclose(exponent(SIZES, [0.01 * size**power for size in SIZES]), grown)


def test_a_constant_beside_it_counts_as_less_growth() -> None:
    assert 0.5 < exponent(SIZES, [1 + 0.01 * size for size in SIZES]) < 1
