"""That what is measured is the engine: a small program through it."""

from pathlib import Path

import pytest

from bench import engine
from bench.errors import BenchError


def test_a_run_tells_its_time_its_memory_and_when_the_first_registration_came(tmp_path: Path) -> None:
    stack = engine._stack(tmp_path / "stack")
    for command in ("up", "preview"):
        run = engine.embedded(stack, command, 10)
        assert 0 < run.first < run.seconds
        assert run.engine > 20 * 10**6
    (stack / "__main__.py").write_text("raise ValueError('in the program')")
    with pytest.raises(BenchError, match="in the program"):
        engine.embedded(stack, "preview", 10)
