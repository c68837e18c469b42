"""What goes wrong inside a backend, said in one clear message."""


class SliceError(Exception):
    """An operation inside a backend failed. The text is what the user reads; it never holds a secret."""
