"""What was measured on: a figure without it means nothing."""

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import psutil

from bench import daemon


def facts() -> dict[str, Any]:
    with daemon.client() as client:
        engine = client.version()["Version"]
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "docker": engine,
    }


def load() -> list[float]:
    """The load average of the last 1, 5 and 15 minutes: with more than there are cores, somebody else is at work."""
    return [round(value, 2) for value in os.getloadavg()]


def title(known: Mapping[str, Any]) -> str:
    before, after = known["load_before"][0], known["load_after"][0]
    return (
        f"{known['date']}, {known['cores']} cores ({known['processor']}), {known['memory_gb']} GB, Docker"
        f" {known['docker']}, Python {known['python']}; load {before:g} before and {after:g} after.\n"
        f"Medians of {known['rounds']} rounds, with the least and the most; ours and theirs in turns."
    )


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 - no file of ours
            return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()
