"""What goes wrong inside a backend, said in one clear message."""

import pulumi


class SliceError(pulumi.RunError):
    """An operation inside a backend failed. The text is what the user reads; it never holds a secret.

    A RunError, since Pulumi shows those without a traceback.
    """


class RefusedError(SliceError):
    """The backend answers, and refuses the administrator's credential."""


class UnpreparedError(SliceError):
    """The backend lets the administrator in, and lacks what Strata keeps in it."""
