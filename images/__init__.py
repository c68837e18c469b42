"""The images of the backends: which official ones are pinned, and how equivalents are built without a registry."""

from images.build import LocalImage, build, list_images, missing
from images.errors import ImageError
from images.recipes import local_name

__all__ = ["ImageError", "LocalImage", "build", "list_images", "local_name", "missing"]
