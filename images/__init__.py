"""The images of the backends: which official ones are pinned, and how equivalents are built without a registry."""

from images.builder import LocalImage, build, list_images, missing
from images.errors import ImageError
from images.lock import renew as renew_lock
from images.lock import source_name
from images.recipes import local_name

__all__ = ["ImageError", "LocalImage", "build", "list_images", "local_name", "missing", "renew_lock", "source_name"]
