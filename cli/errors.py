"""The error boundary: what fails becomes one clear message and the official CLI's exit code, never a traceback."""

from typing import Final

from engine.errors import EngineError, ExitCode
from images.errors import ImageError
from infra.config_files import ConfigError
from infra.reader import ContractError
from infra.workspace import WorkspaceError


class CliError(Exception):
    """A command cannot do what it was asked. The text is what the user reads: what is wrong, where, what to do."""

    def __init__(self, message: str, exit_code: int = ExitCode.FAILURE) -> None:
        super().__init__(message)
        self.exit_code = int(exit_code)


_EXPECTED: Final = (CliError, EngineError, ImageError, ConfigError, ContractError, WorkspaceError)


def explain(error: Exception) -> tuple[str, int]:
    """Message and exit code of what a command raised."""
    if isinstance(error, _EXPECTED) or _is_settings_error(error):
        return str(error), getattr(error, "exit_code", ExitCode.FAILURE)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}", ExitCode.FAILURE
    return f"{type(error).__name__}: {error}\nSTRATA_DEBUG=1 shows where it happened.", ExitCode.INTERNAL


def _is_settings_error(error: Exception) -> bool:
    """By name: importing it takes the whole Pulumi SDK, half a second that most commands do not need."""
    return any(kind.__qualname__ == "SettingsError" for kind in type(error).__mro__)
