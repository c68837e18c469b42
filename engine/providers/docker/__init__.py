"""Docker networks, volumes, containers and images, recorded in the shapes of the official provider `docker` 5.2."""

from engine.providers.docker.provider import DockerProvider

__all__ = ["DockerProvider"]
