"""The one exception that reaches a user, with the exit code of the official CLI; and the one that ends a run early."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the `pulumi` command returns (pkg/cmd: cmdutil/exit.go of the official source)."""

    SUCCESS = 0
    FAILURE = 1
    BAD_USAGE = 2
    STACK_NOT_FOUND = 6
    NO_CHANGES_EXPECTED = 7
    CANCELLED = 8
    INTERNAL = 255


class EngineError(Exception):
    """The text is the message for the user: what is wrong, where, and what to write or run instead."""

    def __init__(self, message: str, exit_code: int = ExitCode.FAILURE) -> None:
        super().__init__(message)
        self.exit_code = int(exit_code)


class StoppedError(Exception):
    """The run has failed or was cancelled, as was told: nothing new is begun."""
