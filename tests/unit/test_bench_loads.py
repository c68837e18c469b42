"""What the loads print, and what they are made of."""

import math

import pytest

from bench import vectors
from bench.postgres import parse_tps
from bench.redis import parse_rate

PGBENCH = """pgbench (17.12)
transaction type: <builtin: TPC-B (sort of)>
scaling factor: 20
latency average = 4.123 ms
initial connection time = 11.234 ms
tps = 1939.456789 (without initial connection time)
"""

REDIS = """"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms"
"SET","100000.00","1.504","0.376","1.319"
"GET","300000.00","1.252","0.432","1.279"
"""


def test_pgbench_tells_its_transactions_per_second() -> None:
    assert parse_tps(PGBENCH) == 1939.456789
    with pytest.raises(ValueError, match="no tps"):
        parse_tps("pgbench: error: connection to server failed")


def test_the_rate_of_redis_is_that_of_all_requests_together() -> None:
    # As many requests of each: at 100,000 and 300,000 per second they take 4/300,000 s a pair.
    assert parse_rate(REDIS) == pytest.approx(150000)
    with pytest.raises(ValueError, match="no rates"):
        parse_rate('"test","rps"\n')


def test_vectors_are_the_same_in_every_run_and_of_length_one() -> None:
    made = vectors.vectors(3)
    assert made == vectors.vectors(3)
    assert [len(vector) for vector in made] == [vectors.DIMENSIONS] * 3
    assert [math.hypot(*vector) for vector in made] == pytest.approx([1.0] * 3, abs=1e-5)
