"""Postgres' own settings, derived from the memory, cpu and storage that it is given.

Sources: [docs] the PostgreSQL 17 manual, chapters 19.4 to 19.9; [pgtune] the formulas of le0pard/pgtune for a mixed
("web application") load on SSD storage.
"""

from components.quantities import GIB, MIB
from components.specs import PostgresSpec


def settings(spec: PostgresSpec) -> dict[str, str]:
    """Server parameters for `spec`, in the units that postgresql.conf takes."""
    shared_buffers = spec.memory // 4  # [docs] 19.4.1: 25 % of memory is a reasonable starting value
    # [pgtune] a query may use several work_mem at once, so connections count three times
    work_mem = max((spec.memory - shared_buffers) // (spec.max_connections * 3), 4 * MIB)
    workers = max(2, round(spec.cpu))
    max_wal = min(4 * GIB, spec.storage // 5)  # [pgtune] 4 GB; never more than a fifth of a small volume
    return {
        "max_connections": str(spec.max_connections),
        "shared_buffers": _mb(shared_buffers),
        "effective_cache_size": _mb(spec.memory * 3 // 4),  # [docs] 19.7.2, [pgtune]: three quarters
        "maintenance_work_mem": _mb(min(spec.memory // 16, 2 * GIB)),  # [pgtune]
        "work_mem": _mb(work_mem),
        "huge_pages": "try",
        # [docs] 19.5: wal_buffers = -1 is 3 % of shared_buffers, up to one WAL segment
        "wal_buffers": "-1",
        "min_wal_size": _mb(min(GIB, max_wal // 2)),
        "max_wal_size": _mb(max_wal),
        "wal_compression": "lz4",
        "checkpoint_completion_target": "0.9",  # [docs] 19.5.2
        # A replication slot that nobody reads would otherwise keep WAL until the disk is full.
        "max_slot_wal_keep_size": _mb(max_wal),
        "random_page_cost": "1.1",  # [pgtune] SSD
        "effective_io_concurrency": "200",  # [pgtune] SSD
        "max_worker_processes": str(max(8, workers)),
        "max_parallel_workers": str(workers),
        "max_parallel_workers_per_gather": str(max(1, workers // 2)),
        "password_encryption": "scram-sha-256",
        "ssl_min_protocol_version": "TLSv1.2",
        "log_checkpoints": "on",
        "log_lock_waits": "on",
        "log_temp_files": "10240",  # kB: a sort that spills 10 MB says that work_mem is too small
        "log_autovacuum_min_duration": "10s",
        "log_line_prefix": "%m [%p] %q%u@%d ",
        "log_timezone": "UTC",
        "timezone": "UTC",
    }


def shared_memory(spec: PostgresSpec) -> int:
    """Bytes of /dev/shm. Parallel queries share their hash tables there; Docker's 64 MiB fails them."""
    return max(64 * MIB, spec.memory // 4)


def _mb(size: int) -> str:
    return f"{size // MIB}MB"
