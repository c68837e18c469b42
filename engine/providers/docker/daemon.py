"""The way to a Docker daemon: which one, over which connection, and what its errors mean for a user."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias, TypeVar

import docker
import requests
from docker.context import ContextAPI
from docker.errors import APIError, DockerException, NotFound
from docker.utils import kwargs_from_env

from engine.providers.base import ProviderError

DEFAULT_HOST = "unix:///var/run/docker.sock"
_POLL_INTERVAL = 0.1  # seconds
_ANSWER_TIMEOUT = 120  # seconds for one answer; a loaded daemon takes long to prepare a container's file system

T = TypeVar("T")
Client: TypeAlias = Any  # docker.APIClient, whose type stubs leave out or narrow half of what is called here


class Daemon:
    """One daemon, for many threads: each has a client of its own, since `requests` sessions are not shared safely."""

    def __init__(self, host: str | None = None) -> None:
        """`host=None` follows DOCKER_HOST, then the docker command's current context, then the local socket."""
        self._arguments, self.described = _connection(host)
        self._local = threading.local()
        self._clients: list[docker.APIClient] = []
        self._lock = threading.Lock()

    @contextmanager
    def client(self, action: str) -> Iterator[Client]:
        """A client for this thread. What fails inside becomes a ProviderError that begins with `action`."""
        try:
            yield self._client()
        except (DockerException, requests.exceptions.RequestException, OSError) as error:
            raise ProviderError(f"{action}: {self.explain(error)}") from error

    def _client(self) -> Client:
        client: Client | None = getattr(self._local, "client", None)
        if client is None:
            knock(self._arguments.get("base_url", ""))
            client = docker.APIClient(version="auto", timeout=_ANSWER_TIMEOUT, **self._arguments)
            self._local.client = client
            with self._lock:
                self._clients.append(client)
        return client

    def close(self) -> None:
        with self._lock:
            clients, self._clients = self._clients, []
        self._local = threading.local()
        for client in clients:
            client.close()

    def explain(self, error: Exception) -> str:
        """What went wrong and what to do, without a traceback and without the request's content."""
        if isinstance(error, APIError) and error.response is not None:
            return _daemon_said(str(error.explanation or error))
        causes = list(_causes(error))
        if any(isinstance(cause, FileNotFoundError | ConnectionRefusedError) for cause in causes):
            return (
                f"no Docker daemon answers at {self.described}. Start it (`sudo systemctl start docker`, or "
                "`sudo dockerd` where there is no systemd), or let DOCKER_HOST name another one"
            )
        if any(isinstance(cause, PermissionError) for cause in causes):
            return (
                f"this user may not talk to the Docker daemon at {self.described}. Join its group "
                "(`sudo usermod -aG docker $USER`, then log in again), or run as root"
            )
        if any(isinstance(cause, requests.exceptions.Timeout) for cause in causes):
            return (
                f"the Docker daemon at {self.described} did not answer in time; `docker info` shows whether it is alive"
            )
        if isinstance(error, DockerException | requests.exceptions.ConnectionError):
            return f"the Docker daemon at {self.described} cannot be reached ({causes[-1]}); check DOCKER_HOST"
        return str(error)


def _connection(host: str | None) -> tuple[dict[str, Any], str]:
    """Arguments for docker.APIClient, and the daemon's address with where it was read. Raises ProviderError."""
    address = host or os.environ.get("DOCKER_HOST", "")
    try:
        if address:
            # For TLS, docker-py takes DOCKER_TLS_VERIFY and DOCKER_CERT_PATH from here too.
            arguments: dict[str, Any] = {**kwargs_from_env(environment={**os.environ, "DOCKER_HOST": address})}
            described = address if host else f"{address} (from DOCKER_HOST)"
            return {**arguments, "use_ssh_client": address.startswith("ssh://")}, described
        arguments = {"base_url": DEFAULT_HOST, **ContextAPI.kwargs_from_context()}
    except DockerException as error:
        raise ProviderError(f"the way to the Docker daemon is not clear: {error}") from error
    return arguments, arguments["base_url"]


def knock(address: str) -> None:
    """Open a local socket once: docker-py's own attempt hides the reason of a failure and leaks the socket."""
    if address.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as door:
            door.connect(address.removeprefix("unix://"))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what lies under it: docker-py wraps requests, which wraps urllib3, which wraps the OSError."""
    pending: list[BaseException] = [error]
    seen: set[int] = set()
    while pending:
        current = pending.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]
        pending.extend(item for item in inner if isinstance(item, BaseException))


def _daemon_said(text: str) -> str:
    text = text.strip()
    if "no space left on device" in text:
        return f"the disk of the Docker daemon is full: {text}. `docker system df` shows what takes the space"
    return text


def found(request: Callable[[], T]) -> T | None:
    """The answer, or None if the daemon itself says that there is no such object."""
    try:
        return request()
    except NotFound:
        return None


def is_conflict(error: APIError) -> bool:
    return error.response is not None and error.response.status_code == 409


def poll(done: Callable[[], bool], seconds: float) -> bool:
    """Ask until the answer is yes or the time is over; says which."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_INTERVAL)
    return True
