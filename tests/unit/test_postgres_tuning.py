"""Postgres' derived settings must fit into the memory and disk they were derived from."""

import re

import pytest

from components import postgres_tuning
from components.quantities import GIB, MIB
from components.specs import PostgresSpec


def spec(memory: str, storage: str = "20Gi", connections: int = 100, cpu: float = 1) -> PostgresSpec:
    return PostgresSpec.model_validate(
        {"version": "17", "memory": memory, "cpu": cpu, "storage": storage, "max_connections": connections}
    )


def size(text: str) -> int:
    match = re.fullmatch(r"(\d+)MB", text)
    assert match, f"{text} has no unit that Postgres reads as megabytes"
    return int(match[1]) * MIB


@pytest.mark.parametrize("memory", ["256Mi", "1Gi", "8Gi", "64Gi"])
@pytest.mark.parametrize("connections", [10, 100, 1000])
def test_memory_is_not_promised_twice(memory: str, connections: int) -> None:
    wanted = spec(memory, connections=connections)
    values = postgres_tuning.settings(wanted)
    shared, work = size(values["shared_buffers"]), size(values["work_mem"])
    assert shared == wanted.memory // 4
    assert work >= 4 * MIB, "below Postgres' own default every sort would spill"
    if work > 4 * MIB:
        assert shared + 3 * connections * work <= wanted.memory
    assert size(values["maintenance_work_mem"]) <= 2 * GIB


def test_wal_never_fills_a_small_volume() -> None:
    wanted = spec("1Gi", storage="1Gi")
    values = postgres_tuning.settings(wanted)
    assert size(values["max_wal_size"]) + size(values["max_slot_wal_keep_size"]) < wanted.storage // 2
    assert size(values["min_wal_size"]) <= size(values["max_wal_size"])


def test_shared_memory_holds_a_parallel_hash_join() -> None:
    assert postgres_tuning.shared_memory(spec("256Mi")) == 64 * MIB
    assert postgres_tuning.shared_memory(spec("8Gi")) == 2 * GIB
