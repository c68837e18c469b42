"""What the building of images asks of Docker.

Imported by the functions that need it: docker-py takes a quarter of a second to load, and a program that only wants an
image's name should not wait for it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import requests
from docker.errors import DockerException, ImageNotFound

from images.errors import ImageError

_FAILURES = (DockerException, requests.RequestException)


class Daemon:
    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client

    def has(self, image: str) -> bool:
        try:
            self._client.images.get(image)
        except ImageNotFound:
            return False
        return True

    def size(self, image: str) -> int:
        """Bytes."""
        return int(self._client.images.get(image).attrs["Size"])

    def load(self, archive: Path) -> None:
        """Takes in the images of a `docker save` archive. Raises ImageError."""
        with archive.open("rb") as file:
            try:
                self._client.images.load(file)
            except _FAILURES as error:
                raise ImageError(f"Docker did not take the image that was built: {error}") from None

    def labelled(self, label: str) -> dict[str, tuple[str, int]]:
        """Images with `label`: by their name, the label's value and the size in bytes."""
        return {
            tag: (image.labels[label], int(image.attrs["Size"]))
            for image in self._client.images.list(filters={"label": label})
            for tag in image.tags
        }

    def registry_digest(self, image: str) -> str:
        """The digest that the registry has for `image` now. Raises ImageError."""
        try:
            return self._client.images.get_registry_data(image).id
        except _FAILURES as error:
            raise ImageError(f"the registry gave no digest of {image}: {error}") from None


@contextmanager
def connect(docker_host: str | None = None) -> Iterator[Daemon]:
    """The daemon at `docker_host`, or the environment's. Raises ImageError when it does not answer."""
    try:
        client = docker.DockerClient(base_url=docker_host) if docker_host else docker.from_env()
        client.ping()
    except _FAILURES as error:
        where = docker_host or os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
        raise ImageError(f"Docker does not answer at {where} ({error}): start its daemon, or set DOCKER_HOST") from None
    try:
        yield Daemon(client)
    finally:
        client.close()
