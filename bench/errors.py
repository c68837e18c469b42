"""What ends a measurement: the text is what the user reads."""


class BenchError(Exception):
    """Something could not be measured; the text says what, and what to do."""
