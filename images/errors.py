"""The one error of this package."""


class ImageError(Exception):
    """An image can't be named, built or found. The message says what to do."""
