"""Values that Docker takes as text: durations, CPU shares, names, and the rules that `check` applies to them.

A rule takes a value and returns what is wrong with it, or None. Docker reads some texts back in a spelling of its own
("90s" as "1m30s"), and the official provider records what it reads: another spelling in the program would then differ
from the record in every plan. So such texts are accepted only in the spelling that is read back.
"""

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from engine.providers.bridge.schema import Rule

_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_NANOSECONDS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")


def parse_duration(text: str) -> int:
    """Nanoseconds of a Go duration such as `1m30s` or `0.5s`. Raises ValueError."""
    parts = _DURATION_PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        if text == "0":
            return 0
        raise ValueError(text)
    return int(sum(Decimal(number) * _NANOSECONDS[unit] for number, unit in parts))


def format_duration(nanoseconds: int) -> str:
    """As Go's `time.Duration.String` prints it."""
    if nanoseconds < 10**9:
        for unit in ("ms", "µs", "ns"):
            if nanoseconds >= _NANOSECONDS[unit]:
                return _plain(Decimal(nanoseconds) / _NANOSECONDS[unit]) + unit
        return "0s"
    minutes, rest = divmod(nanoseconds, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    leading = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return leading + _plain(Decimal(rest) / 10**9) + "s"


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def parse_cpus(text: str) -> int:
    """Docker's NanoCpus of a decimal number of CPUs. Raises ValueError."""
    try:
        number = Decimal(text) * 10**9
    except InvalidOperation as error:
        raise ValueError(text) from error
    if not number.is_finite() or number < 0 or number != number.to_integral_value():
        raise ValueError(text)
    return int(number)


def format_cpus(nano_cpus: int) -> str:
    """As the official provider writes NanoCpus into its state, oddities included (`nanoInt64ToDecimalString`)."""
    if nano_cpus == 0:
        return "0"
    number = Decimal(nano_cpus) / 10**9
    text = f"{number:.9f}"
    if text.count("0") == 9:  # meant for whole numbers; it also rounds 0.05 to 0.1
        return str(number.quantize(Decimal("0.1"), ROUND_HALF_UP))
    return text.rstrip("0")


def is_duration(value: str) -> str | None:
    try:
        spelled = format_duration(parse_duration(value))
    except ValueError:
        return f'"{value}" is not a duration; write for example "10s"'
    return None if spelled == value else f'write "{spelled}" instead of "{value}": Docker reads it back so'


def is_cpus(value: str) -> str | None:
    try:
        spelled = format_cpus(parse_cpus(value))
    except ValueError:
        return f'"{value}" is not a number of CPUs; write for example "1.5"'
    return None if spelled == value else f'write "{spelled}" instead of "{value}": it is recorded so'


def is_name(value: str) -> str | None:
    if _NAME.fullmatch(value):
        return None
    return f'"{value}" is not a name for Docker: use two or more letters, digits, "_", "." or "-", the first no mark'


def is_environment(value: str) -> str | None:
    """The value itself stays out of the message: it may be a secret."""
    name = value.partition("=")[0]
    return None if name and "=" in value else 'is not of the form "NAME=value"'


def is_absolute_path(value: str) -> str | None:
    return None if value.startswith("/") else f'"{value}" is not an absolute path'


def is_not_empty(value: str) -> str | None:
    return None if value else "must not be empty"


def at_least(minimum: int) -> Rule:
    return lambda value: None if value >= minimum else f"{value} is below {minimum}"


def within(low: int, high: int) -> Rule:
    return lambda value: None if low <= value <= high else f"{value} is not between {low} and {high}"


def one_of(*allowed: str) -> Rule:
    return lambda value: None if value in allowed else f'"{value}" is not one of {", ".join(allowed)}'


def matches(pattern: str, example: str) -> Rule:
    compiled = re.compile(pattern)
    return lambda value: None if compiled.fullmatch(value) else f'"{value}" is not valid; write for example "{example}"'
