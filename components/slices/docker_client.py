"""The Docker daemon as providers use it, and its failures in one clear line."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from components.slices.errors import SliceError

if TYPE_CHECKING:  # see `daemon`
    import docker

TIMEOUT: Final = 30  # seconds for one call
LOCAL: Final = "unix:///var/run/docker.sock"


class DaemonUnreachableError(SliceError):
    """No Docker daemon answers."""


def address(host: str | None) -> str:
    """The daemon's address: as configured, else DOCKER_HOST, else the local socket."""
    return host or os.environ.get("DOCKER_HOST") or LOCAL


def is_local(host: str | None) -> bool:
    """Whether the daemon runs on this machine, so that its ports and disks can be looked at."""
    return address(host).startswith("unix:")


@contextmanager
def daemon(host: str | None) -> Iterator["docker.DockerClient"]:
    """A client of the daemon. Raises SliceError for every failure in or under it."""
    # Imported when needed: the program declares slices and never asks Docker, and need not wait for its client.
    import docker
    import requests
    from docker.errors import APIError, DockerException

    where = address(host)
    _knock(where)
    try:
        client = docker.DockerClient(base_url=where, timeout=TIMEOUT)
    except (DockerException, requests.RequestException) as error:
        raise DaemonUnreachableError(f"Docker does not answer at {where}: {error}") from None
    try:
        yield client
    except APIError as error:
        raise SliceError(f"Docker at {where}: {error.explanation or error}") from None
    except requests.RequestException as error:
        raise DaemonUnreachableError(f"Docker at {where} ended the connection: {error}") from None
    finally:
        client.close()


def find(get: Callable[[str], Any], name: str) -> Any:
    """`get(name)` of one of a client's collections; None if the daemon has no such object."""
    from docker.errors import NotFound

    try:
        return get(name)
    except NotFound:
        return None


def _knock(where: str) -> None:
    """Tell the usual mistakes apart, which the client's own error does not."""
    if not where.startswith("unix:"):
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect("/" + where.removeprefix("unix:").lstrip("/"))
        except PermissionError:
            raise DaemonUnreachableError(
                f"Docker at {where} refuses this user: add it to the group `docker` and log in again"
            ) from None
        except OSError as error:
            raise DaemonUnreachableError(
                f"Docker does not answer at {where} ({error.strerror}): start it (`make up` does,"
                " or systemctl start docker), or set DOCKER_HOST"
            ) from None
