"""Property values that JSON has no word for: a secret, and a value that is known only after the update."""

from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True)
class Secret:
    """A value to be encrypted in the state and masked on the screen; `repr` never shows it."""

    value: Any = field(repr=False)


class Unknown:
    """The type of `UNKNOWN`, a value that a preview cannot know."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()
