"""What a pass over the program came to."""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.errors import ExitCode
from engine.events import UNCHANGING, Kind, Result
from engine.execution import Run
from engine.journal import Journal
from engine.values import contains_unknown


@dataclass
class Pass:
    """One way through the program, dry or real."""

    result: Result
    run: Run
    journal: Journal

    @property
    def is_final(self) -> bool:
        """Whether a dry pass has done all there is to do: it met only unchanged resources, and knows every value."""
        entries = self.journal.snapshot().resources
        return not (self.run.acted or any(contains_unknown([entry.inputs, entry.outputs]) for entry in entries))


def exit_code(
    run: Run, kind: Kind, changes: Mapping[str, int], *, cancelled: bool, expect_no_changes: bool
) -> ExitCode:
    """Tells the reason, too, unless the run has told it."""
    if run.failed:
        return ExitCode.FAILURE
    if cancelled:
        run.reporter.message("error", f"{kind} cancelled: what was under way is finished and recorded")
        return ExitCode.CANCELLED
    if expect_no_changes and changes.keys() - set(UNCHANGING):
        run.reporter.message("error", "no changes were expected but changes occurred")
        return ExitCode.NO_CHANGES_EXPECTED
    return ExitCode.SUCCESS
