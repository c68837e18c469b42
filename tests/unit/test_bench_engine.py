"""The arithmetic of growth, and that what is measured is the engine: a small program through it."""

import math
from pathlib import Path

import pytest

from bench import engine
from bench.errors import BenchError

SIZES = (50, 500, 3000)


@pytest.mark.parametrize(("power", "grown"), [(1.0, 1.0), (2.0, 2.0), (0.5, 0.5)])
def test_the_exponent_is_the_power_by_which_time_grows(power: float, grown: float) -> None:
    assert math.isclose(engine.exponent(SIZES, [0.01 * size**power for size in SIZES]), grown)


def test_a_constant_beside_it_counts_as_less_growth() -> None:
    assert 0.5 < engine.exponent(SIZES, [1 + 0.01 * size for size in SIZES]) < 1


def test_a_run_tells_its_time_its_memory_and_when_the_first_registration_came(tmp_path: Path) -> None:
    stack = engine._stack(tmp_path / "stack")
    for command in ("up", "preview"):
        run = engine.embedded(stack, command, 10)
        assert 0 < run.first < run.seconds
        assert run.engine > 20 * 10**6
    (stack / "__main__.py").write_text("raise ValueError('in the program')")
    with pytest.raises(BenchError, match="in the program"):
        engine.embedded(stack, "preview", 10)
