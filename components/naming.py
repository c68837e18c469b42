"""Physical names, their prefix, their limits and the labels: the one place that knows them.

Logical names (Pulumi's) never change; physical names carry the stack's prefix. A name here that holds data costs
that data to change.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

POSTGRES: Final = "db-postgres"
REDIS: Final = "redis"
QDRANT: Final = "vector-db"
OBJECT_STORE: Final = "object-store"
NETWORK: Final = "strata"

# A container's alias is a DNS label (RFC 1035: 63 octets); Docker's own limit is longer and never reached.
MAX_NAME: Final = 63
PREFIX: Final = re.compile(r"^([a-z][a-z0-9-]*-)?$")
LONGEST: Final = len(f"{OBJECT_STORE}-secrets")

# What backends call their volumes.
_OF_BACKENDS: Final = re.compile(rf"({POSTGRES}|{REDIS}(-.+)?|{QDRANT}|{OBJECT_STORE})-data|.+-secrets")

LABEL_STACK: Final = "strata.stack"
LABEL_NAME: Final = "strata.name"
LABEL_STATE: Final = "strata.state"
LABEL_DIGEST: Final = "strata.secret"  # of a secret that a server takes only when it starts: another one replaces it


@dataclass(frozen=True, kw_only=True)
class Naming:
    """Names of one stack's physical objects."""

    project: str
    stack: str
    prefix: str

    @property
    def stack_label(self) -> str:
        return f"{self.project}/{self.stack}"

    def physical(self, name: str) -> str:
        """`name` with the stack's prefix."""
        return f"{self.prefix}{name}"

    def data_volume(self, name: str) -> str:
        return self.physical(f"{name}-data")

    def secrets_volume(self, name: str) -> str:
        return self.physical(f"{name}-secrets")

    def volume(self, volume: str) -> str:
        """The physical name of an application's volume. One that would be too long is cut, and told apart by a hash."""
        return _cut(self.physical(volume))

    def bucket(self, application: str, bucket: str) -> str:
        """The same of an application's bucket."""
        return _cut(self.physical(f"{application}-{bucket}").replace("_", "-"))


def dedicated_redis(application: str) -> str:
    """The logical name of an application's own Redis: its container and alias, as those above."""
    return f"{REDIS}-{application}".replace("_", "-")


def is_of_backends(volume: str) -> bool:
    """Whether a volume with that logical name belongs to a backend, so that no application may claim it."""
    return _OF_BACKENDS.fullmatch(volume) is not None


def prefix_problem(prefix: str) -> str | None:
    """Why `prefix` cannot be one, or None."""
    if not PREFIX.match(prefix):
        return "a prefix is lower-case letters, digits and dashes, starts with a letter and ends with a dash"
    if len(prefix) + LONGEST > MAX_NAME:
        return f"a prefix has at most {MAX_NAME - LONGEST} characters, since a name has at most {MAX_NAME}"
    return None


def _cut(name: str) -> str:
    if len(name) <= MAX_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: MAX_NAME - len(digest) - 1].rstrip('-')}-{digest}"
