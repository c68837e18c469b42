"""The one error of this package."""


class ClusterError(Exception):
    """The cluster can't be built, started or used. The message says what to do."""
