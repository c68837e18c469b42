"""The parts of an image's name, as Docker reads them."""

import re
from dataclasses import dataclass
from typing import Self

_DEFAULT_REGISTRY = "docker.io"

BACKENDS = {
    "postgres": "postgres",
    "redis": "redis",
    "valkey": "redis",
    "qdrant": "qdrant",
    "minio": "minio",
    "object_store": "minio",
}
"""Last part of an image's name → the backend it serves."""


@dataclass(frozen=True)
class ImageReference:
    text: str  # as the program wrote it
    registry: str
    repository: str  # without Docker Hub's implicit `library/`
    tag: str | None
    digest: str | None

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None for an empty text and for an image's id (`sha256:…`), which names a content and no repository."""
        if not text or text.startswith("sha256:"):
            return None
        name, _, digest = text.partition("@")
        first, slash, rest = name.partition("/")
        # Docker's own test: only a host name has a dot or a port, or is called localhost.
        has_registry = bool(slash) and ("." in first or ":" in first or first == "localhost")
        registry, path = (first, rest) if has_registry else (_DEFAULT_REGISTRY, name)
        repository, _, tag = path.partition(":")
        if registry in ("index.docker.io", "registry-1.docker.io"):
            registry = _DEFAULT_REGISTRY
        if registry == _DEFAULT_REGISTRY:
            repository = repository.removeprefix("library/")
        return cls(text, registry, repository, tag or None, digest or None)

    @property
    def backend(self) -> str | None:
        """The backend that the image serves, by the last part of its name; `strata-` stands before local ones."""
        return BACKENDS.get(self.repository.rpartition("/")[2].removeprefix("strata-"))

    @property
    def major(self) -> int:
        """The major version that the tag begins with, 0 if it begins with none."""
        digits = re.match(r"\d*", self.tag or "")
        return int(digits[0] or 0) if digits else 0

    @property
    def name(self) -> str:
        """Registry and repository, as in `docker.io/postgres`."""
        return f"{self.registry}/{self.repository}"
