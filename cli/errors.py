"""The error boundary: what fails becomes one clear message and the official CLI's exit code, never a traceback."""

import sys
from collections.abc import Iterator
from typing import Final

from engine.errors import ExitCode


class CliError(Exception):
    """A command cannot do what it was asked. The text is what the user reads: what is wrong, where, what to do."""

    def __init__(self, message: str, exit_code: int = ExitCode.FAILURE) -> None:
        super().__init__(message)
        self.exit_code = int(exit_code)


# What other parts raise for the user to read. Only loaded modules are asked: loading all takes a second.
_EXPECTED: Final = {
    "engine.errors": "EngineError",
    "images.errors": "ImageError",
    "infra.mistakes": "SettingsError",
    "infra.reader": "ContractError",
    "infra.rendering": "ConfigError",
    "infra.workspace": "WorkspaceError",
    "policies.rules.exceptions": "ExceptionsError",
}


def explain(error: Exception) -> tuple[str, int]:
    """Message and exit code of what a command raised."""
    if isinstance(error, (CliError, *_expected())):
        hint = "\n`strata cancel` says whose it is, and removes it." if type(error).__name__ == "LockedError" else ""
        return str(error) + hint, getattr(error, "exit_code", ExitCode.FAILURE)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}", ExitCode.FAILURE
    return f"{type(error).__name__}: {error}\nSTRATA_DEBUG=1 shows where it happened.", ExitCode.INTERNAL


def _expected() -> Iterator[type[Exception]]:
    for module, name in _EXPECTED.items():
        if module in sys.modules:
            yield getattr(sys.modules[module], name)
