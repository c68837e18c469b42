"""When a certificate has to be replaced by another one."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

READY: Final = "readyForRenewal"
END: Final = "validityEndTime"


def due(outputs: Mapping[str, Any], settings: Mapping[str, Any], now: datetime) -> bool:
    """Whether the certificate has ended, or will within its hours of early renewal; never of what is none."""
    end, early = outputs.get(END), settings.get("earlyRenewalHours")
    if not isinstance(end, str) or not isinstance(early, int):  # the hours may be unknown in a preview
        return False
    return datetime.fromisoformat(end) - timedelta(hours=early) <= now


def written(time: datetime) -> str:
    """As RFC 3339 has it; `time` is in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
